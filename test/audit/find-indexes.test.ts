/** How much one search may do: it stops where it had enough, and goes on from there. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findIndexes } from '../../server/audit/find-indexes.ts'
import { digestOf, GROUP } from '../../server/audit/index-keys.ts'
import { PostingBatch } from '../../server/audit/posting-batch.ts'
import { Environment } from '../../server/store/embedded/environment.ts'
import type { StoredEntry } from '../../server/use-cases/ports.ts'

const ENTRY: StoredEntry = {
  time: 1,
  ref: 'r',
  tenant: 'acme',
  tenant_version: 'v1',
  event: 'token',
  outcome: 'permit',
  code: 'token.permit',
}

test('a search that finds little is cut where it had enough, and goes on from there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-find-'))
  const environment = new Environment(folder, 'process', Infinity)
  const batch = new PostingBatch(1, 0)
  // In each group two entries, and none of them is of both.
  const two = [
    { ...ENTRY, subject: 'alice' },
    { ...ENTRY, txn: 't1' },
  ]
  for (let at = 0; at < 10 * GROUP; at += 1) batch.add(at, two[at % GROUP])
  environment.transact(() => batch.write(environment))
  const search = {
    log: 1,
    known: batch.known,
    terms: ['tt1', 'salice'].map(digestOf),
    period: undefined,
    limit: 5,
    mostLooks: 12,
    isNewestFirst: true,
  }
  const calls: (number | undefined)[] = []
  for (let at: number | undefined = batch.known - 1; at !== undefined; ) {
    const found = findIndexes(environment, { ...search, at })
    expect(found.indexes).toEqual([])
    at = found.at
    calls.push(at)
  }
  // Three looks a group: four groups a call.
  expect(calls).toEqual([6 * GROUP - 1, 2 * GROUP - 1, undefined])
  await environment.close()
  rmSync(folder, { recursive: true, force: true })
})
