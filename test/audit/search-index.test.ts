/** The search index: what it finds is what a look at every entry finds, in both directions, page by page. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { indexFolder } from '../../server/audit/log-paths.ts'
import { openSearchIndex, type SearchIndex } from '../../server/audit/search-index.ts'
import { fits, type SearchQuery } from '../../server/audit/search-terms.ts'
import type { StoredEntry } from '../../server/use-cases/ports.ts'

let dataFolder: string
let index: SearchIndex
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-index-'))
  index = openSearchIndex(dataFolder)
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
    code: 'token.permit',
    ...parts,
  }
}

function addAll(entries: readonly (StoredEntry | undefined)[], log = 'acme'): void {
  index.transact(() => {
    const known = index.known(log)
    entries.forEach((entry, at) => index.add(log, known + at, entry))
  })
}

/** Every page, one after the other. */
function findAll(query: SearchQuery, limit: number, order: 'newest' | 'oldest'): number[] {
  const found: number[] = []
  let next: number | undefined = order === 'newest' ? undefined : 0
  do {
    const page = order === 'newest' ? { limit, before: next } : { limit, after: next ?? 0 }
    const { indexes, next: following } = index.find('acme', query, page)
    found.push(...indexes)
    next = following
  } while (next !== undefined)
  return found
}

describe('what is found', () => {
  const name = fc.constantFrom('planner', 'researcher', 'writer')
  const entry = fc.option(
    fc.record({
      time: fc.integer({ min: 0, max: 40 }),
      txn: fc.constantFrom('t1', 't2', 't3', 't4'),
      client: name,
      chain: fc.array(name, { maxLength: 3 }),
      outcome: fc.constantFrom('permit' as const, 'refuse' as const),
      subject: fc.constantFrom('alice', 'bob'),
    }),
    { nil: undefined, freq: 20 },
  )
  const query = fc.record(
    {
      txn: fc.constantFrom('t1', 't2', 't5'),
      agent: name,
      outcome: fc.constantFrom('permit' as const, 'refuse' as const, 'ask' as const),
      subject: fc.constantFrom('alice', 'bob'),
      from: fc.integer({ min: -1, max: 41 }),
      to: fc.integer({ min: -1, max: 41 }),
    },
    { requiredKeys: [] },
  )

  test('is what fits among all entries, whatever is asked and however it is paged', () => {
    let log = 0
    fc.assert(
      fc.property(
        fc.array(fc.array(entry, { minLength: 1, maxLength: 400 }), { minLength: 1, maxLength: 4 }),
        query,
        fc.integer({ min: 1, max: 300 }),
        (batches, asked, limit) => {
          log += 1
          if (log > 1) index.transact(() => index.forget('acme'))
          const made = batches.map((batch) =>
            batch.map((parts) => (parts === undefined ? undefined : anEntry(parts))),
          )
          for (const batch of made) addAll(batch)
          const all = made.flat()
          const expected = all.flatMap((each, at) => (fits(each, asked) ? [at] : []))
          const trimmed = (indexes: readonly number[]) =>
            indexes.filter((at) => fits(all[at], asked))
          expect(index.known('acme')).toBe(all.length)
          expect(trimmed(findAll(asked, limit, 'oldest'))).toEqual(expected)
          expect(trimmed(findAll(asked, limit, 'newest'))).toEqual(expected.reverse())
        },
      ),
      { numRuns: 60 },
    )
  })

  test('is nothing in a log that is not known, or of another log', () => {
    addAll([anEntry({ txn: 't1' })], 'globex')
    expect(index.known('acme')).toBe(0)
    expect(index.find('acme', { txn: 't1' }, { limit: 10, before: undefined })).toEqual({
      indexes: [],
      next: undefined,
    })
  })

  test('is every chain member, the client and the agent it is about', () => {
    addAll([
      anEntry({ client: 'a', chain: ['b', 'a'] }),
      anEntry({ agent: 'c' }),
      anEntry({ chain: ['d'] }),
    ])
    const found = ['a', 'b', 'c', 'd'].map((agent) => findAll({ agent }, 10, 'oldest'))
    expect(found).toEqual([[0], [0], [1], [2]])
  })

  test('a time long past is found without a look at what came since', () => {
    addAll(Array.from({ length: 256 * 300 }, (_, at) => anEntry({ time: at })))
    const page = { limit: 256, before: undefined }
    expect(index.find('acme', { to: 3 }, page).indexes.filter((at) => at < 3)).toEqual([2, 1, 0])
    expect(index.find('acme', { from: 1e9 }, page)).toEqual({ indexes: [], next: undefined })
  })
})

describe('a transaction', () => {
  test('leaves nothing where its work throws', () => {
    expect(() =>
      index.transact(() => {
        index.add('acme', 0, anEntry({ txn: 't1' }))
        throw new Error('a fault of tests')
      }),
    ).toThrow('a fault of tests')
    expect(index.known('acme')).toBe(0)
    expect(findAll({ txn: 't1' }, 10, 'newest')).toEqual([])
  })

  test('knows what it added itself, and takes entries in their order alone', () => {
    index.transact(() => {
      index.add('acme', 0, anEntry())
      expect(index.known('acme')).toBe(1)
      expect(() => index.add('acme', 2, anEntry())).toThrow(RangeError)
    })
  })

  test('a log begun anew has nothing of before', () => {
    addAll([anEntry({ txn: 't1' }), anEntry({ txn: 't2' })])
    index.transact(() => {
      index.forget('acme')
      index.add('acme', 0, anEntry({ txn: 't2' }))
    })
    expect(index.known('acme')).toBe(1)
    expect(findAll({ txn: 't1' }, 10, 'newest')).toEqual([])
    expect(findAll({ txn: 't2' }, 10, 'newest')).toEqual([0])
  })
})

describe('the folder', () => {
  test('is there after a restart, and for another process at once', async () => {
    addAll([anEntry({ txn: 't1' })])
    const other = openSearchIndex(dataFolder)
    expect(other.known('acme')).toBe(1)
    await other.close()
    await index.close()
    index = openSearchIndex(dataFolder)
    expect(findAll({ txn: 't1' }, 10, 'newest')).toEqual([0])
  })

  test('is made again where the machine went down on it, and nothing of it is left', async () => {
    addAll([anEntry()])
    const inUse = join(indexFolder(dataFolder), 'in-use-since-boot')
    await index.close()
    expect(existsSync(inUse)).toBe(false)
    writeFileSync(inUse, 'another boot')
    mkdirSync(`${indexFolder(dataFolder)}.lost-1`)
    index = openSearchIndex(dataFolder)
    expect(index.known('acme')).toBe(0)
    expect(readdirSync(join(dataFolder, 'audit'))).toEqual(['.index'])
  })
})
