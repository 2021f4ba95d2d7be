/**
 * Writes docs/conformance.md: each requirement of the manifest and each attack case, with the tests that answer for it,
 * read from the sources. The same sources give the same text.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { ATTACK_CASES } from '../conformance/attack-cases.ts'
import { citations } from '../conformance/citations.ts'
import type { Requirement } from '../conformance/requirement.ts'
import { REQUIREMENTS } from '../conformance/requirements.ts'
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

export function conformanceReport(): string {
  const all = Object.entries(REQUIREMENTS)
  const files = Map.groupBy(citations(), ({ id }) => id)
  const specs = Map.groupBy(all, ([, { spec }]) => spec)
  const untested = all.filter(([, { gap }]) => gap !== undefined)
  const tables = [...specs].map(([spec, rows]) => specTable(spec, rows, files))
  const page = [
    '# Conformance',
    '<!-- Written by tools/conformance-report.ts. Change the manifest or the tests, then run it again. -->',
    `The suite in \`conformance/\` speaks to an authorization server and a resource server over TLS and imports nothing of
this project. It answers for ${all.length} requirements, of which ${all.length - untested.length} have tests and ${untested.length} have a reason why not.
With \`CONFORMANCE_PROFILE\` naming a profile (\`conformance/suite/profile.ts\`) it runs against other servers:`,
    '```sh\nCONFORMANCE_PROFILE=profile.json npx vitest run --project conformance\n```',
    ...tables,
    attackTable(),
    '',
  ].join('\n\n')
  return formatted('docs/conformance.md', page)
}

type Cited = ReadonlyMap<string, readonly { readonly file: string }[]>

function specTable(spec: string, rows: readonly [string, Requirement][], cited: Cited): string {
  const lines = rows.map(([id, { section, strength, behaviour, gap, tested }]) => {
    const names = [...new Set((cited.get(id) ?? []).map(({ file }) => file))]
    const links = names.map(
      (name) => `[${name.replace('.test.ts', '')}](../conformance/suite/${name})`,
    )
    const status = gap === undefined ? `tested: ${links.join(', ')}` : `not applicable: ${gap}`
    return `| ${id} | ${section} | ${strength} | ${tested} | ${behaviour} | ${status} |`
  })
  const head =
    '| id | section | strength | of | behaviour | status |\n| --- | --- | --- | --- | --- | --- |'
  return `## ${spec}\n\n${head}\n${lines.join('\n')}`
}

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

if (import.meta.main) {
  writeFileSync(REPORT, conformanceReport())
  console.log(`${relative(ROOT, REPORT)} is written`)
}
