/** A sentence of the format as data: what is refused for its sake, and whether it holds. */
import { isObject, type Json, type JsonObject } from './json.ts'

export type Sentence<Of> = readonly [reason: string, holds: (of: Of) => boolean]

/** The reason of the first sentence that does not hold. */
export function firstBroken<Of>(of: Of, sentences: readonly Sentence<Of>[]): string | undefined {
  return sentences.find(([, holds]) => !holds(of))?.[0]
}

export type Test = (value: Json | undefined) => boolean

/** A member may be left out, or passes the test. */
export function optional(test: Test): Test {
  return (value) => value === undefined || test(value)
}

export const isText: Test = (value) => typeof value === 'string'
/** Of one character at least, and not more than this. */
export const isTextOf =
  (longest: number): Test =>
  (value) =>
    typeof value === 'string' && value.length >= 1 && value.length <= longest
export const isFilledText = isTextOf(Number.POSITIVE_INFINITY)
/** What agents, subjects and tokens are called. */
export const isName = isTextOf(1024)
/** Whole and not negative: a time, an index, a depth. */
export const isCount: Test = (value) => Number.isSafeInteger(value) && Number(value) >= 0
export const isMembers: Test = (value) => isObject(value)

/** Every named member of the object passes its test. */
export function passes(object: JsonObject, tests: Readonly<Record<string, Test>>): boolean {
  return Object.entries(tests).every(([name, test]) => test(object.get(name)))
}

export function hasOnly(object: JsonObject, names: readonly string[]): boolean {
  return [...object.keys()].every((name) => names.includes(name))
}

/** For members whose type is known by now; empty where there is none. */
export function objectAt(object: JsonObject, name: string): JsonObject {
  const value = object.get(name)
  return isObject(value) ? value : new Map()
}

export function listAt(object: JsonObject, name: string): readonly Json[] {
  const value = object.get(name)
  return Array.isArray(value) ? value : []
}

export function textAt(object: JsonObject, name: string): string {
  const value = object.get(name)
  return typeof value === 'string' ? value : ''
}

export function numberAt(object: JsonObject, name: string): number {
  const value = object.get(name)
  return typeof value === 'number' ? value : Number.NaN
}
