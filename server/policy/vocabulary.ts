/**
 * Words that have only so many values, as a policy spells them. To Cedar they are text like any other, so a forbid of
 * "exceute" would be valid and never hold: a guard that is not there. Here it is a problem with a suggestion.
 */
import { quote } from '../core/problem.ts'
import { findNearest } from '../core/suggestion.ts'
import { TIERS } from '../core/tenant.ts'
import { isObject } from './expression.ts'
import type { PolicyText } from './policy-scanner.ts'
import { findText, type KnownNames, type UnknownReference } from './references.ts'
import { WEEKDAYS } from './weekday.ts'

const CLASSES = ['retrieval', 'worker', 'orchestrator'] as const

/** By the attribute's name, which means the same wherever the schema has it. */
const VOCABULARY: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['class', CLASSES],
  ['chain_classes', CLASSES],
  ['tier', TIERS],
  ['sensitivity', ['low', 'moderate', 'high']],
  ['kind', ['api', 'agent']],
  ['basis', ['policy', 'client']],
  ['binding', ['dpop', 'mtls', 'bearer']],
  ['key', ['dpop', 'mtls', 'none']],
  ['weekday', WEEKDAYS],
])

/** Expressions that set one value, or the values of two sets, beside each other. */
const COMPARISONS: ReadonlySet<string> = new Set([
  '==',
  '!=',
  'contains',
  'containsAll',
  'containsAny',
])

interface Word {
  readonly text: string
  /** What it is one of, in a sentence. */
  readonly what: string
  readonly known: readonly string[]
}

/** One finding for each word of a condition that can never be met. */
export function findMisspelt(
  policy: PolicyText,
  conditions: readonly unknown[],
  { claims }: KnownNames,
): readonly UnknownReference[] {
  const words = conditions.flatMap((condition) => wordsIn(condition, [...claims]))
  const wrong = words.filter(({ text, known }) => !known.includes(text))
  const distinct = new Map(wrong.map((word) => [`${word.what} ${word.text}`, word]))
  return [...distinct.values()].map(({ text, what, known }) => ({
    text: `${quote(text)} is no ${what}${listed(known)}`,
    suggestion: findNearest(text, known),
    at: findText(policy, text),
  }))
}

function listed(known: readonly string[]): string {
  return known.length === 0 || known.length > 7 ? '' : `; known: ${known.map(quote).join(', ')}`
}

function wordsIn(expression: unknown, claims: readonly string[]): readonly Word[] {
  if (!isObject(expression)) return []
  return Object.entries(expression).flatMap(([kind, body]) => [
    ...wordsOf(kind, body, claims),
    ...wordsIn(body, claims),
  ])
}

function wordsOf(kind: string, body: unknown, claims: readonly string[]): readonly Word[] {
  if (!isObject(body)) return []
  const { left, right } = body as { left?: unknown; right?: unknown }
  if (kind === 'getTag' || kind === 'hasTag') {
    const what = 'claim that rules may read ("subject_claims" of a trusted issuer)'
    return textsIn(right).map((text) => ({ text, what, known: claims }))
  }
  if (!COMPARISONS.has(kind)) return []
  return [...beside(left, right), ...beside(right, left)]
}

/** The texts that the attribute is compared with, where it is one of few words. */
function beside(attribute: unknown, other: unknown): readonly Word[] {
  const name = attributeName(attribute)
  const known = name === undefined ? undefined : VOCABULARY.get(name)
  if (name === undefined || known === undefined) return []
  return textsIn(other).map((text) => ({ text, what: `value of "${name}"`, known }))
}

function attributeName(expression: unknown): string | undefined {
  const access = isObject(expression) ? expression['.'] : undefined
  const name = isObject(access) ? access['attr'] : undefined
  return typeof name === 'string' ? name : undefined
}

/** A text, or the texts of a set. */
function textsIn(expression: unknown): readonly string[] {
  if (!isObject(expression)) return []
  const { Value: value, Set: elements } = expression
  if (Array.isArray(elements)) return elements.flatMap(textsIn)
  return [value].flat().filter((text) => typeof text === 'string')
}
