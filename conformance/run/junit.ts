/** A result as JUnit XML: a test suite for each specification, a test case for each row. */
import { REQUIREMENTS } from '../requirements.ts'
import type { RowResult, RunResult } from './result.ts'

export function junitOf({ target, rows }: RunResult): string {
  const specs = Map.groupBy(rows, ({ id }) => REQUIREMENTS[id]?.spec ?? 'unknown')
  const suites = [...specs].map(([spec, some]) => suiteOf(spec, some))
  const head = `<testsuites name=${attribute(target)} ${countsOf(rows)}>`
  return `<?xml version="1.0" encoding="UTF-8"?>\n${head}\n${suites.join('\n')}\n</testsuites>\n`
}

function suiteOf(spec: string, rows: readonly RowResult[]): string {
  const cases = rows.map((row) => caseOf(spec, row))
  return `  <testsuite name=${attribute(spec)} ${countsOf(rows)}>\n${cases.join('\n')}\n  </testsuite>`
}

function countsOf(rows: readonly RowResult[]): string {
  const count = (...outcomes: readonly string[]) =>
    rows.filter(({ outcome }) => outcomes.includes(outcome)).length
  const skipped = count('not_offered', 'not_set_up', 'gap')
  return `tests="${rows.length}" failures="${count('failed')}" errors="0" skipped="${skipped}"`
}

function caseOf(spec: string, { id, outcome, checks, because = '' }: RowResult): string {
  const name = `${id} ${REQUIREMENTS[id]?.behaviour ?? ''}`
  const messages = checks.flatMap((check) =>
    check.messages.map((message) => `${check.title} (${check.file}): ${message}`),
  )
  const body = {
    passed: [],
    warned: [`<system-out>${escaped(messages.join('\n'))}</system-out>`],
    failed: [`<failure message=${attribute(id)}>${escaped(messages.join('\n'))}</failure>`],
    not_offered: [`<skipped message=${attribute(`not offered: ${because}`)}/>`],
    not_set_up: [`<skipped message=${attribute(`not set up: ${because}`)}/>`],
    gap: [`<skipped message=${attribute(`gap: ${because}`)}/>`],
  }[outcome]
  const open = `    <testcase classname=${attribute(spec)} name=${attribute(name)}`
  return body.length === 0 ? `${open}/>` : `${open}>\n      ${body.join('\n')}\n    </testcase>`
}

const attribute = (text: string): string => `"${escaped(text)}"`

const SIGNS: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** XML 1.0 §2.2: what is no character there, a lone surrogate too, becomes the sign for one that is missing. */
function escaped(text: string): string {
  return Array.from(text)
    .map((sign) => (isCharacter(sign) ? (SIGNS[sign] ?? sign) : '\ufffd'))
    .join('')
}

function isCharacter(sign: string): boolean {
  const code = sign.codePointAt(0) ?? 0
  if (code < 0x20) return code === 0x9 || code === 0xa || code === 0xd
  return !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfffe && code !== 0xffff
}
