/**
 * The text of docs/conformance.md: what a run on this project's own server found out about each requirement, and each attack
 * case with the tests that answer for it, read from the sources. The same result and sources give the same text.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ATTACK_CASES } from '../conformance/attack-cases.ts'
import { pageOf } from '../conformance/run/page.ts'
import type { RunResult } from '../conformance/run/result.ts'
import { formatted } from './formatted.ts'

const ROOT = resolve(import.meta.dirname, '..')
export const REPORT = join(ROOT, 'docs/conformance.md')

/** A title of a test, or of a group of tests, and the cases it begins with. */
export interface CaseTitle {
  readonly ids: readonly string[]
  readonly title: string
  readonly isGroup: boolean
  readonly file: string
}

const TITLE = /(describe)?\(\s*(['"`])((?:[A-Q]\d\d\b(?:,? and |, | )?)+)(.*?)\2\s*,/g

export function caseTitles(): readonly CaseTitle[] {
  return ['test', 'conformance'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .sort()
      .flatMap((name) =>
        titlesIn(join(folder, name), readFileSync(join(ROOT, folder, name), 'utf8')),
      ),
  )
}

export function titlesIn(file: string, text: string): readonly CaseTitle[] {
  return [...text.matchAll(TITLE)].map(([, group, , ids = '', rest = '']) => ({
    ids: ids.match(/[A-Q]\d\d/g) ?? [],
    title: readable(rest.replace(/^: ?/, '')),
    isGroup: group !== undefined,
    file,
  }))
}

/** Places a title fills in at run time become an ellipsis; a table's own sign is escaped. */
function readable(title: string): string {
  return (
    title
      .replace(/\$\{[^}]*\}|%[sdijo]|\$\w+/g, '…')
      .replace(/\\u([0-9a-f]{4})/gi, (_, code: string) =>
        String.fromCharCode(Number.parseInt(code, 16)),
      )
      .replaceAll("\\'", "'")
      .replaceAll('|', '\\|')
      // Underlines would be read as emphasis.
      .replaceAll('__proto__', '`__proto__`')
  )
}

/** docs/conformance.md, from a run on this project's own server. */
export function conformancePage(result: RunResult): string {
  const page = [
    pageOf(result, { head: HEAD, suite: '../conformance/suite' }),
    attackTable(),
    '',
  ].join('\n\n')
  return formatted('docs/conformance.md', page)
}

const HEAD = [
  '# Conformance',
  '<!-- Written by a run: npm run conformance -- --report docs/conformance.md -->',
  `The suite in [conformance/](../conformance/README.md) speaks to an authorization server and a resource server over HTTP and imports
nothing of this project. This is what it found out about this project's own server, at the level of the delegation profile and in strict mode,
where no other error code passes than the one of the row. Rows of features that the server does not offer are not asked; a gap is a row without a check, with
the reason.`,
  '```sh\nnpm run conformance -- --report docs/conformance.md\n```',
]

function attackTable(): string {
  const titles = caseTitles()
  const lines = Object.entries(ATTACK_CASES).map(([id, { attack, reason }]) => {
    const mine = titles.filter(({ ids }) => ids.includes(id))
    const tests = mine.some(({ isGroup }) => !isGroup) ? mine.filter((one) => !one.isGroup) : mine
    const told = [...new Set(tests.map(({ title }) => title))].join('<br>')
    const status = told === '' ? `no test: ${reason ?? 'not yet'}` : told
    return `| ${id} | ${attack} | ${status} |`
  })
  return `## Attack cases\n\n| id | attack | tests |\n| --- | --- | --- |\n${lines.join('\n')}`
}
