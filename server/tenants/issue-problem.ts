/**
 * Turns what the schema found into problems with a place and a sentence. Values are never repeated: a private key
 * may sit where anything else was expected.
 */
import type { z } from 'zod'
import { quote } from '../core/problem.ts'
import { findNearest } from '../core/suggestion.ts'
import type { Path } from './place.ts'
import { type Finding, isFull, type Report, refuse, refuseKey, suggest } from './report.ts'
import type { YamlDocument } from './yaml-document.ts'

type Issue = z.core.$ZodIssue

const EXPECTED: Readonly<Partial<Record<string, string>>> = {
  string: 'text (in quotes, if it looks like a number, a boolean or null)',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
}

/** As many as a sentence holds. */
const MOST_VALUES = 8

/** @param base where in the document the value that was checked stands */
export function reportIssues(
  report: Report,
  document: YamlDocument,
  base: Path,
  issues: readonly Issue[],
): void {
  for (const issue of issues) {
    if (isFull(report)) return
    reportIssue(report, document, base, issue)
  }
}

function reportIssue(report: Report, document: YamlDocument, base: Path, issue: Issue): void {
  const path = [
    ...base,
    ...issue.path.map((part) => (typeof part === 'number' ? part : String(part))),
  ]
  if (issue.code === 'unrecognized_keys') {
    const known = issue.message.split(' ')
    for (const key of issue.keys) {
      const text = `unknown key ${quote(key)}`
      const suggestion = suggest(report, key, known)
      refuseKey(report, document, [...path, key], { text, suggestion })
    }
  } else if (!document.has(path)) {
    refuse(report, document, path, { text: `missing key ${quote(String(path.at(-1)))}` })
  } else if (issue.code === 'invalid_key') {
    refuseKey(report, document, path, { text: issue.issues[0]?.message ?? 'not a valid name' })
  } else {
    refuse(report, document, path, findingOf(issue, valueAt(document.value, path)))
  }
}

function findingOf(issue: Issue, stated: unknown): Finding {
  // The schema's own sentence, where it has one; else the library's, which begins so.
  const isOwn = !issue.message.startsWith('Invalid')
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String)
    const expected = values.length > MOST_VALUES ? 'a known one' : values.map(quote).join(' or ')
    return {
      text: isOwn ? issue.message : `expected ${expected}`,
      suggestion: typeof stated === 'string' ? findNearest(stated, values) : undefined,
    }
  }
  if (issue.code === 'invalid_type' && !isOwn) {
    return { text: `expected ${EXPECTED[issue.expected] ?? issue.expected}` }
  }
  if (issue.code === 'invalid_union' && issue.discriminator !== undefined) {
    const values = ('options' in issue ? (issue.options ?? []) : []).map(String)
    return {
      text: `expected ${values.map(quote).join(' or ')}`,
      suggestion: suggestion(stated, issue.discriminator, values),
    }
  }
  return { text: issue.message }
}

function suggestion(
  stated: unknown,
  discriminator: string,
  values: readonly string[],
): string | undefined {
  const value = typeof stated === 'object' ? valueAt(stated, [discriminator]) : stated
  return typeof value === 'string' ? findNearest(value, values) : undefined
}

function valueAt(value: unknown, path: Path): unknown {
  let current = value
  for (const part of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part)) {
      return undefined
    }
    current = (current as Readonly<Record<string | number, unknown>>)[part]
  }
  return current
}
