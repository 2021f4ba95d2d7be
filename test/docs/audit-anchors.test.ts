/** docs/audit-anchors.md says what the file takes, what is told and what is answered, and all of it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readAnchorsFile } from '../../server/anchors-file.ts'
import { isProblems, readConfig } from '../../server/config.ts'
import { ROOT, readBlocks, readPage, readRows } from './pages.ts'

const PAGE = 'docs/audit-anchors.md'
const page = readPage(PAGE)
const firstCells = readRows(page).map(([first = '']) => first)

/** Literals in a source file that a pattern takes. */
function literals(file: string, pattern: RegExp): readonly string[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
  return [...new Set([...text.matchAll(pattern)].map(([, literal = '']) => literal))]
}

test('every file it shows is one that a server takes', async () => {
  const blocks = readBlocks(PAGE, page).filter(({ language }) => language === 'yaml')
  expect(blocks.length).toBeGreaterThan(1)
  const folder = mkdtempSync(join(tmpdir(), 'actchain-anchors-'))
  const path = join(folder, 'anchors.yaml')
  const config = readConfig({
    ACTCHAIN_PUBLIC_URL: 'https://as.example.com',
    ACTCHAIN_KEY_SECRET: 'a-key-secret-of-more-than-32-characters',
    ACTCHAIN_AUDIT_ANCHORS: path,
  })
  if (isProblems(config)) throw new Error('refused')
  for (const { at, text } of blocks) {
    writeFileSync(path, text)
    const { anchors, witnessFor } = await readAnchorsFile(config)
    expect({ at, used: anchors.length + witnessFor.size }).not.toMatchObject({ used: 0 })
  }
  rmSync(folder, { recursive: true })
})

test('every member has its row', () => {
  const members = literals(
    'server/anchors-file.ts',
    /^ {2,4}([a-z_]+): (?:z|absolutePath|duration)\b/gm,
  )
  expect(members.length).toBeGreaterThan(7)
  expect(members.filter((name) => !firstCells.includes(`\`${name}\``))).toEqual([])
})

test('every event and every reason has its row', () => {
  const kinds = literals(
    'server/use-cases/checkpoint-anchor.ts',
    /readonly kind: '(\w+)'; readonly why/g,
  )
  const events = kinds.map((kind) => `audit_anchor_${kind}`)
  const witness = literals('server/open-anchors.ts', /event: '(audit_witness_\w+)'/g)
  expect([events.length, witness.length]).toEqual([3, 1])
  const reasons = [
    'ask-witness',
    'append-checkpoint',
    'post-checkpoint',
    'checkpoint-anchor',
  ].flatMap((name) =>
    literals(`server/use-cases/${name}.ts`, /(?:why: |return )'([a-z]+_[a-z_]+)'/g),
  )
  expect(reasons.length).toBeGreaterThan(6)
  const named = [...events, ...witness, ...reasons].map((name) => `\`${name}\``)
  expect(named.filter((name) => !firstCells.includes(name))).toEqual([])
})

test('every status of the door has its row', () => {
  const statuses = literals('server/http/witness.ts', /status: (\d{3})/g)
  expect(statuses.length).toBeGreaterThan(7)
  // 413 and 405 are what they are everywhere.
  const rowed = new Set([...firstCells, '413', '405'])
  expect(statuses.filter((status) => !rowed.has(status))).toEqual([])
})
