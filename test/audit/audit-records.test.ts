/** The logs as they are read: over real trees and the real index, whatever stands in their files. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createAuditRecords } from '../../server/audit/audit-records.ts'
import { formatLine, parseLine } from '../../server/audit/entry-line.ts'
import type { LogTree } from '../../server/audit/log-trees.ts'
import { openSearchIndex, type SearchIndex } from '../../server/audit/search-index.ts'
import type { AuditRecords, StoredEntry } from '../../server/use-cases/ports.ts'

let dataFolder: string
let index: SearchIndex
let lines: Buffer[]
let records: AuditRecords

/** All lines, as a tree reads them; whatever is new goes to the index. */
function treeOf(log: string): LogTree {
  const size = lines.length
  index.transact(() => {
    for (let at = index.known(log); at < size; at += 1) {
      index.add(log, at, parseLine(String(lines[at])))
    }
  })
  const none = (): never => {
    throw new Error('not asked here')
  }
  return {
    size,
    readLines: async (from, to) => lines.slice(from, to),
    root: none,
    inclusionProof: none,
    consistencyProof: none,
  }
}

beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-records-'))
  index = openSearchIndex(dataFolder)
  lines = []
  records = createAuditRecords({
    index,
    trees: {
      catchUp: async (log) => treeOf(log),
      checkpoint: async () => undefined,
      keyOf: async (log) => `key of ${log}`,
      start: () => {},
      close: async () => {},
    },
    texts: { textsOf: async () => new Map(), eraseTexts: async () => 0 },
  })
})
afterEach(async () => {
  await index.close()
  rmSync(dataFolder, { recursive: true, force: true })
})

function anEntry(parts: Partial<StoredEntry> = {}): StoredEntry {
  return {
    time: 1000,
    ref: 'ref',
    tenant: 'acme',
    tenant_version: 'v1',
    event: 'token',
    outcome: 'permit',
    code: 'token.issued',
    ...parts,
  }
}

const add = (...entries: readonly Partial<StoredEntry>[]): void => {
  lines.push(...entries.map((parts) => Buffer.from(formatLine(anEntry(parts)))))
}

const ALL = { limit: 10, before: undefined }

describe('what is read', () => {
  test('is each entry with its index and its octets, newest or oldest first', async () => {
    add({ txn: 't1' }, { txn: 't2' }, { txn: 't1', subject: 'ä' })
    const { entries, next } = await records.search('acme', { txn: 't1' }, ALL)
    expect(entries.map((each) => each.index)).toEqual([2, 0])
    expect(entries[0]?.bytes).toEqual(lines[2])
    expect(entries[0]?.entry).toEqual(anEntry({ txn: 't1', subject: 'ä' }))
    expect(next).toBeUndefined()
    const walked = await records.walk('acme', { txn: 't1' }, { limit: 1, after: 1 })
    expect(walked.entries.map((each) => each.index)).toEqual([2])
  })

  test('is what was appended since, and by its own look where the index finds too much', async () => {
    add({ txn: 't1' })
    expect((await records.search('acme', { txn: 't1' }, ALL)).entries).toHaveLength(1)
    // As if the hashes of two tasks were one: the index says t1 of what is t2 by now.
    lines[0] = Buffer.from(formatLine(anEntry({ txn: 't2' })))
    add({ txn: 't1' })
    const { entries } = await records.search('acme', { txn: 't1' }, ALL)
    expect(entries.map((each) => each.index)).toEqual([1])
  })

  test('has a line that a crash cut short only where nothing was asked for', async () => {
    add({ txn: 't1' })
    lines.push(Buffer.from('{"time":12,"ref":"a'))
    const { entries } = await records.search('acme', {}, ALL)
    expect(entries.map(({ entry }) => entry?.txn)).toEqual([undefined, 't1'])
    expect((await records.search('acme', { from: 0 }, ALL)).entries).toHaveLength(1)
  })

  test('times are looked at one by one', async () => {
    add({ time: 1 }, { time: 3 }, { time: 2 })
    const found = await records.walk('acme', { from: 2, to: 3 }, { limit: 10, after: 0 })
    expect(found.entries.map((each) => each.index)).toEqual([2])
  })
})

describe('what the server asks itself', () => {
  test('a token is found by the entry that issued it', async () => {
    const issued = { txn: 't1', jti: 'j1', target: 'https://a' }
    add({ ...issued, event: 'introspection' }, { ...issued, outcome: 'refuse' }, issued, {
      ...issued,
      jti: 'j2',
    })
    expect(await records.findIssued('acme', 't1', 'j1')).toEqual(anEntry(issued))
    expect(await records.findIssued('acme', 't2', 'j1')).toBeUndefined()
    expect(await records.findIssued('globex', 't1', 'j9')).toBeUndefined()
  })

  test('a record is there once it was taken, and for its own resource server', async () => {
    add({ event: 'record', record: 'r1', client: 'files', outcome: 'refuse' })
    expect(await records.hasRecord('acme', 'files', 'r1')).toBe(false)
    add({ event: 'record', record: 'r1', client: 'files' })
    expect(await records.hasRecord('acme', 'files', 'r1')).toBe(true)
    expect(await records.hasRecord('acme', 'mail', 'r1')).toBe(false)
    expect(await records.hasRecord('acme', 'files', 'r2')).toBe(false)
  })
})
