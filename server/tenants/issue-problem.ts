/**
 * Turns what the schema found into problems with a place and a sentence. Values are never repeated: a private key
 * may sit where anything else was expected.
 */
import type { z } from 'zod'
import { quote } from './problem.ts'
import { type Report, refuse, refuseKey } from './report.ts'
import { findNearest } from './suggestion.ts'
import type { Path, YamlDocument } from './yaml-document.ts'

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

/** @param base where in the document the value that was checked stands */
export function reportIssues(
  report: Report,
  document: YamlDocument,
  base: Path,
  issues: readonly Issue[],
): void {
  for (const issue of issues) reportIssue(report, document, base, issue)
}

function reportIssue(report: Report, document: YamlDocument, base: Path, issue: Issue): void {
  const path: Path = [
    ...base,
    ...issue.path.map((part) => (typeof part === 'number' ? part : String(part))),
  ]
  if (issue.code === 'unrecognized_keys') {
    const known = issue.message.split(' ')
    for (const key of issue.keys) {
      refuseKey(report, document, [...path, key], {
        text: `unknown key ${quote(key)}`,
        suggestion: findNearest(key, known),
      })
    }
    return
  }
  if (!document.has(path)) {
    refuse(report, document, path, { text: `missing key ${quote(String(path.at(-1)))}` })
    return
  }
  switch (issue.code) {
    case 'invalid_value': {
      const values = issue.values.map(String)
      const stated = valueAt(document.value, path)
      refuse(report, document, path, {
        text: issue.message.startsWith('Invalid')
          ? `expected ${values.map(quote).join(' or ')}`
          : issue.message,
        suggestion: typeof stated === 'string' ? findNearest(stated, values) : undefined,
      })
      return
    }
    case 'invalid_type':
      refuse(report, document, path, {
        text: issue.message.startsWith('Invalid')
          ? `expected ${EXPECTED[issue.expected] ?? issue.expected}`
          : issue.message,
      })
      return
    case 'invalid_key':
      refuseKey(report, document, path, { text: issue.issues[0]?.message ?? 'not a valid name' })
      return
    case 'invalid_union':
      refuse(report, document, path, {
        text: issue.discriminator === undefined ? issue.message : 'expected "api" or "agent"',
      })
      return
    case 'too_big':
    case 'too_small':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_element':
    case 'custom':
      refuse(report, document, path, { text: issue.message })
      return
  }
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
