/**
 * A log of many entries, like those of exchanges: how fast it is taken into its tree and index, verified as a copy of the
 * data, and searched for one task.
 */
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { openOctetSigner } from '../keys/octet-signer.ts'
import { createAuditRecords } from '../server/audit/audit-records.ts'
import { formatLine } from '../server/audit/entry-line.ts'
import { openCopy } from '../server/audit/log-copy.ts'
import { entriesPath, logFolder } from '../server/audit/log-paths.ts'
import { type LogTrees, openLogTrees } from '../server/audit/log-trees.ts'
import { openSearchIndex, type SearchIndex } from '../server/audit/search-index.ts'
import { type LogReport, verifyLog } from '../server/audit/verify-log.ts'
import type { AuditRecords, StoredEntry } from '../server/use-cases/ports.ts'
import type { Bench, Target } from './area.ts'
import { makeScratchFolder, removeScratchFolder } from './scratch-folder.ts'
import { median, quantile, rounded } from './statistics.ts'

const LOG = 'acme'
/** Entries of one task: its story. */
const STORY = 8
const BEGINNING = 1_800_000_000
const LINES_AT_A_TIME = 2048

/** Ids as they look, the same for the same number. */
function idAt(kind: string, number: number): string {
  return createHash('sha256').update(`${kind} ${number}`).digest('base64url').slice(0, 22)
}

const taskAt = (number: number): string => idAt('task', number)

function entryAt(at: number): StoredEntry {
  const task = Math.floor(at / STORY)
  const depth = 1 + (at % 4)
  const chain = Array.from({ length: depth }, (_, each) => `agent-${(task + each) % 200}`)
  return {
    time: BEGINNING + Math.floor(at / 500),
    ref: idAt('ref', at),
    tenant: LOG,
    tenant_version: 'f'.repeat(64),
    event: 'token',
    outcome: at % 50 === 0 ? 'refuse' : 'permit',
    ...(at % 50 === 0 ? { reason: 'scope_not_permitted', guard: 'scope_beyond_parent' } : {}),
    code: at % 50 === 0 ? 'token.refused' : 'token.issued',
    client: chain.at(-1) ?? '',
    client_auth: 'private_key_jwt',
    credential: 'agent-key-1',
    bound_by: 'dpop',
    anomalies: [],
    subject: `user-${task % 5000}`,
    way_in: depth === 1 ? 'root' : 'recipient',
    task_type: 'fix-issue',
    txn: taskAt(task),
    parent_jti: idAt('jti', Math.max(at - 1, 0)),
    jti: idAt('jti', at),
    chain,
    target: `https://api-${at % 40}.example/v1`,
    scope_before: ['files:read', 'files:write', 'mail:read'],
    scope_requested: ['files:read'],
    scope_after: ['files:read'],
    expires_at: BEGINNING + Math.floor(at / 500) + 300,
    policies: ['permit-reading', 'orchestrators-open'],
  }
}

/** Octets written. The lines are those the log itself would write. */
function writeLargeLog(dataFolder: string, entries: number): number {
  const folder = logFolder(dataFolder, LOG)
  mkdirSync(folder, { recursive: true })
  const file = openSync(entriesPath(folder), 'a')
  let octets = 0
  for (let at = 0; at < entries; at += LINES_AT_A_TIME) {
    const count = Math.min(LINES_AT_A_TIME, entries - at)
    const lines = Array.from({ length: count }, (_, each) => `${formatLine(entryAt(at + each))}\n`)
    octets += writeSync(file, lines.join(''))
  }
  closeSync(file)
  return octets
}

/** Tasks to ask for, anywhere in the log. */
function someTasks(entries: number, count: number): readonly string[] {
  const tasks = Math.floor(entries / STORY)
  return Array.from({ length: count }, () => taskAt(randomBytes(4).readUInt32BE() % tasks))
}

interface Sizes {
  readonly entries: number
  readonly searches: number
}

/** A million entries are taken in, verified and searched: the figures the record is held to. */
export async function measureLargeLog(
  { emit }: Bench,
  { entries, searches }: Sizes,
): Promise<readonly Target[]> {
  const dataFolder = makeScratchFolder()
  const index = openSearchIndex(dataFolder)
  try {
    const octets = writeLargeLog(dataFolder, entries)
    const trees = openTrees(dataFolder, index)
    const taking = await timed(() => trees.checkpoint(LOG))
    emit({
      name: 'audit.tree',
      value: rounded(taking.cpu / entries),
      unit: 'us/entry',
      entries,
      megabytes: rounded(octets / 1e6),
    })
    const seconds = await timeSearches(createAuditRecords({ trees, index, texts: NO_TEXTS }), {
      entries,
      searches,
    })
    await trees.close()
    const copy = openCopy(logFolder(dataFolder, LOG))
    const verifying = await timed(() => verifyLog(copy))
    copy.close()
    expectWhole(verifying.result, entries)
    emit({ name: 'audit.verify', value: rounded(verifying.ms / 1000), unit: 'seconds', entries })
    const slowest = quantile(seconds, 0.99)
    emit({
      name: 'audit.search_by_task',
      value: rounded(median(seconds), 3),
      unit: 'ms',
      entries,
      p99_ms: rounded(slowest, 3),
    })
    const count = entries.toLocaleString('en')
    return [
      {
        target: `audit verify, ${count} entries, in seconds`,
        value: rounded(verifying.ms / 1000),
        bound: { most: 30 },
      },
      {
        target: `search by task among ${count} entries, 99 of 100, in milliseconds`,
        value: rounded(slowest, 3),
        bound: { most: 50 },
      },
    ]
  } finally {
    await index.close()
    removeScratchFolder(dataFolder)
  }
}

const NO_TEXTS = { textsOf: async () => new Map(), eraseTexts: async () => 0 }

function openTrees(dataFolder: string, index: SearchIndex): LogTrees {
  return openLogTrees({
    dataFolder,
    index,
    originOf: (log) => `bench.example/t/${log}/audit`,
    key: openOctetSigner({ dataFolder, owner: 'bench', secret: 'of the bench' }),
    onCheckpoint: () => {},
    onDamage: (_, what) => {
      throw new Error(what)
    },
    onFault: (fault) => {
      throw fault
    },
  })
}

/** Milliseconds of each. */
async function timeSearches(
  records: AuditRecords,
  { entries, searches }: Sizes,
): Promise<readonly number[]> {
  const times: number[] = []
  for (const txn of someTasks(entries, searches)) {
    const { ms, result } = await timed(() => records.walk(LOG, { txn }, { limit: 100, after: 0 }))
    if (result.entries.length !== STORY) throw new Error(`${result.entries.length} entries found`)
    times.push(ms)
  }
  return times
}

async function timed<Result>(work: () => Promise<Result>) {
  const before = process.cpuUsage()
  const start = performance.now()
  const result = await work()
  const { user, system } = process.cpuUsage(before)
  return { result, ms: performance.now() - start, cpu: user + system }
}

function expectWhole({ entries, signed, damages }: LogReport, written: number): void {
  if (entries !== written || signed !== written || damages.length > 0) {
    throw new Error(`a whole log is said to be damaged: ${JSON.stringify(damages)}`)
  }
}
