/** The logs, to be read: the port `AuditRecords` over trees, index and kept texts. */
import type { AuditPage, AuditRecords, RecordedEntry, StoredEntry } from '../use-cases/ports.ts'
import { parseLine } from './entry-line.ts'
import type { LogTree, LogTrees } from './log-trees.ts'
import type { IndexesFound, IndexPage, SearchIndex } from './search-index.ts'
import { fits, type SearchQuery } from './search-terms.ts'

export interface AuditRecordsDeps {
  readonly trees: LogTrees
  readonly index: SearchIndex
  readonly texts: Pick<AuditRecords, 'textsOf' | 'eraseTexts'>
}

/** Entries read at a time, where all of them are looked at. */
const A_LOOK = 256

export function createAuditRecords({ trees, index, texts }: AuditRecordsDeps): AuditRecords {
  /** A page of what is found in the log as it is now. */
  async function find(log: string, query: SearchQuery, page: IndexPage): Promise<AuditPage> {
    const tree = await trees.catchUp(log)
    const { indexes, next } = index.find(log, query, within(page, tree.size))
    const found = await readEntries(tree, { indexes, next })
    // The index finds by hashes, and times of many entries together.
    return { entries: found.filter(({ entry }) => fits(entry, query)), next }
  }

  async function findFirst(
    log: string,
    query: SearchQuery,
    isIt: (entry: StoredEntry) => boolean,
  ): Promise<StoredEntry | undefined> {
    for (let after: number | undefined = 0; after !== undefined; ) {
      const { entries, next }: AuditPage = await find(log, query, { limit: A_LOOK, after })
      const found = entries.find(({ entry }) => entry !== undefined && isIt(entry))
      if (found !== undefined) return found.entry
      after = next
    }
    return undefined
  }

  return {
    ...texts,
    search: find,
    walk: find,
    findIssued: async (tenant, txn, jti) =>
      findFirst(
        tenant,
        { txn, outcome: 'permit' },
        (entry) => entry.event === 'token' && entry.jti === jti,
      ),
    hasRecord: async (tenant, resource, record) => {
      const isIt = ({ event, client }: StoredEntry) => event === 'record' && client === resource
      return (await findFirst(tenant, { record, outcome: 'permit' }, isIt)) !== undefined
    },
    checkpoint: (tenant) => trees.checkpoint(tenant),
    key: (tenant) => trees.keyOf(tenant),
    inclusionProof: async (tenant, at, size) => {
      const tree = await trees.catchUp(tenant)
      return tree.inclusionProof(at, size)
    },
    consistencyProof: async (tenant, from, to) => {
      const tree = await trees.catchUp(tenant)
      return tree.consistencyProof(from, to)
    },
  }
}

/** Another process may have indexed more than this tree has by now. */
function within(page: IndexPage, size: number): IndexPage {
  return 'before' in page ? { ...page, before: Math.min(page.before ?? size, size) } : page
}

/** In the order of the indexes; those that follow each other are read together. */
async function readEntries(
  tree: LogTree,
  { indexes }: IndexesFound,
): Promise<readonly RecordedEntry[]> {
  const known = indexes.filter((index) => index < tree.size)
  const read = new Map<number, Uint8Array>()
  for (const { from, to } of runsOf(known.toSorted((a, b) => a - b))) {
    const lines = await tree.readLines(from, to)
    lines.forEach((line, at) => read.set(from + at, line))
  }
  return known.flatMap((index) => {
    const bytes = read.get(index)
    return bytes === undefined ? [] : [{ index, bytes, entry: parseLine(textOf(bytes)) }]
  })
}

interface Run {
  readonly from: number
  readonly to: number
}

function runsOf(rising: readonly number[]): readonly Run[] {
  const runs: Run[] = []
  for (const index of rising) {
    const last = runs.at(-1)
    if (last?.to === index) runs[runs.length - 1] = { ...last, to: index + 1 }
    else runs.push({ from: index, to: index + 1 })
  }
  return runs
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}
