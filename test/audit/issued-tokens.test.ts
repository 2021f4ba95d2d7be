/** What recovery asks of the logs: found wherever it stands, and not searched for further back than it can be. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { formatLine } from '../../server/audit/entry-line.ts'
import { createFindIssued } from '../../server/audit/issued-tokens.ts'
import { entriesPath, logFolder } from '../../server/audit/log-paths.ts'
import type { StoredEntry } from '../../server/use-cases/ports.ts'
import { NOW } from '../store/records.ts'

let dataFolder: string
let blocks = 0
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-issued-'))
  blocks = 0
})
afterEach(() => rmSync(dataFolder, { recursive: true, force: true }))

const find = (...args: Parameters<ReturnType<typeof createFindIssued>>) =>
  createFindIssued({ dataFolder, onBlock: () => (blocks += 1) })(...args)

function lineOf(jti: string, parts: Partial<StoredEntry> = {}): string {
  const header = { time: NOW, ref: jti, tenant: 'acme', tenant_version: 'v1' }
  const decision = { event: 'token', outcome: 'permit', code: 'token.issued' } as const
  return formatLine({ ...header, ...decision, txn: 'task-1', jti, ...parts })
}

function write(lines: readonly string[]): void {
  const path = entriesPath(logFolder(dataFolder, 'acme'))
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
}

const hopsOf = (...jtis: readonly string[]) =>
  jtis.map((jti) => ({ tenant: 'acme', txn: 'task-1', jti }))

test('every entry of a log of several blocks is found, and none that says something else', async () => {
  const lines = Array.from({ length: 6000 }, (_, each) => lineOf(`jti-${each}`))
  const torn = '{"time":1800000000,"ref":"to'
  write([...lines, lineOf('refused', { outcome: 'refuse' }), torn, `${torn}${lineOf('behind')}`])
  const issued = hopsOf(...lines.map((_, each) => `jti-${each}`), 'behind')
  const others = hopsOf('refused', 'unknown')
  expect(await find([...issued, ...others], NOW)).toEqual(new Set(issued))
  expect(blocks).toBeGreaterThan(2)
})

test('that a token was revoked does not say that it was issued', async () => {
  write([lineOf('jti', { event: 'revocation', code: 'token.revoked' })])
  expect(await find(hopsOf('jti'), NOW)).toEqual(new Set())
})

test('a long log is read at its end alone', async () => {
  const old = lineOf('old', { time: NOW - 3600 })
  write([
    ...Array.from({ length: 20_000 }, () => old),
    lineOf('young'),
    lineOf('late', { time: NOW - 50 }),
  ])
  expect(await find(hopsOf('young', 'none'), NOW)).toEqual(new Set(hopsOf('young')))
  expect(blocks).toBeLessThanOrEqual(2)
})

test('no log, no entry; a line longer than a block is one line', async () => {
  expect(await find(hopsOf('jti'), NOW)).toEqual(new Set())
  const long = { tool: 'x', changes: Array.from({ length: 64 }, () => 'é'.repeat(1024)) }
  write([
    lineOf('first'),
    ...Array.from({ length: 6 }, (_, at) => lineOf(`long-${at}`, long)),
    'x'.repeat(900_000),
    lineOf('last'),
  ])
  const hops = hopsOf('first', 'long-0', 'long-5', 'last')
  expect([...(await find(hops, NOW))].map(({ jti }) => jti).toSorted()).toEqual([
    'first',
    'last',
    'long-0',
    'long-5',
  ])
})
