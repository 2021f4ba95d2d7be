/** docs/audit-proofs.md does what it says: its ten lines run, and its table has every reason. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AUDIT_PROOF_REASONS, parseNote, parseVkey } from '@actchain/verifier/audit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import written from '../lib/audit/evidence.json' with { type: 'json' }
import { consistencyProof } from '../support/naive-tree.ts'
import {
  aCheckpoint,
  aSigner,
  base64,
  LINES,
  ORIGIN,
  outcomeOf,
  utf8,
} from '../support/proven-log.ts'
import { ROOT, readBlocks, readPage, readRows } from './pages.ts'

const PAGE = 'docs/audit-proofs.md'
const page = readPage(PAGE)
const blocks = readBlocks(PAGE, page)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'actchain-evidence-'))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What the page's program says about a bundle, or how it failed. */
async function check(bundle: unknown): Promise<string> {
  const [program] = blocks.filter(({ language }) => language === 'js')
  writeFileSync(join(folder, 'check.mjs'), program?.text ?? expect.unreachable())
  writeFileSync(join(folder, 'evidence.json'), JSON.stringify(bundle))
  const args = ['--conditions=actchain:source', 'check.mjs', 'evidence.json', written.key]
  return promisify(execFile)(process.execPath, args, { cwd: folder }).then(
    ({ stdout }) => stdout,
    (error: { stderr: string }) => error.stderr,
  )
}

test('its ten lines check a bundle, and find what was touched', async () => {
  const { bundle } = written
  const lines = (await check(bundle)).trim().split('\n')
  expect(lines[0]).toBe('3 of 7 entries of as.example.com/t/acme/audit')
  expect(lines.slice(1)).toEqual(bundle.entries.map(({ index, line }) => `${index} ${line}`))
  const [first, ...rest] = bundle.entries
  const entries = [{ ...first, line: first?.line.replace('permit', 'refuse') }, ...rest]
  expect(await check({ ...bundle, entries })).toContain("reason: 'leaf_not_included'")
})

test('its comparison finds a log that does not go on from what it was', async () => {
  const [program] = blocks.filter(({ language }) => language === 'ts')
  const path = join(folder, 'grow.ts')
  writeFileSync(path, program?.text ?? expect.unreachable())
  const { checkGrowth } = (await import(path)) as {
    readonly checkGrowth: (
      earlier: string,
      later: string,
      proof: readonly string[],
      key: string,
    ) => Promise<void>
  }
  const log = await aSigner(ORIGIN)
  const leaves = LINES.map(utf8)
  const earlier = await aCheckpoint(leaves.slice(0, 3), [log])
  const later = await aCheckpoint(leaves, [log])
  const other = await aCheckpoint(leaves.toReversed(), [log])
  const proof = consistencyProof(3, leaves).map(base64)
  expect(await outcomeOf(checkGrowth(earlier, later, proof, log.vkey))).toBe('holds')
  expect(await outcomeOf(checkGrowth(earlier, other, proof, log.vkey))).toBe('trees_inconsistent')
  expect(await outcomeOf(checkGrowth(later, later, [], log.vkey))).toBe('holds')
  expect(await outcomeOf(checkGrowth(later, other, [], log.vkey))).toBe('trees_inconsistent')
})

test('its table has every reason, and no other', () => {
  const start = page.indexOf('## Why a proof fails')
  const named = readRows(page.slice(start)).flatMap(([, reasons = '']) =>
    [...reasons.matchAll(/`(\w+)`/g)].map(([, reason = '']) => reason),
  )
  expect([...new Set(named)].toSorted()).toEqual(Object.keys(AUDIT_PROOF_REASONS).toSorted())
})

test('its checkpoint is a note, and its verifier key is one', async () => {
  const [checkpoint = '', vkey = ''] = blocks
    .filter(({ language }) => language === 'text')
    .map(({ text }) => text)
  const { text, signatures } = parseNote(`${checkpoint}\n`)
  expect(signatures[0]?.name).toBe(text.split('\n')[0])
  expect((await parseVkey(vkey)).name).toBe(text.split('\n')[0])
})
