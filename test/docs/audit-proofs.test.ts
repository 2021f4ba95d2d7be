/** docs/audit-proofs.md does what it says: its ten lines run, and its table has every reason. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AUDIT_PROOF_REASONS, parseNote, parseVkey } from '@actchain/verifier/audit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import written from '../lib/audit/evidence.json' with { type: 'json' }
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
