/** The audit log: one write and one sync for all that wait; nothing acknowledged is lost, nothing lost acknowledged. */
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AppendFile, openAppendFile } from '../../server/audit/append-file.ts'
import { formatLine, parseLine } from '../../server/audit/entry-line.ts'
import { type Commit, EntryLog } from '../../server/audit/entry-log.ts'
import { OpenFiles } from '../../server/audit/open-files.ts'
import type { StoredEntry } from '../../server/use-cases/ports.ts'
import { NOW } from '../store/records.ts'

let folder: string
let path: string
const opened: OpenFiles[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'actchain-audit-'))
  path = join(folder, 'audit', 'audit.jsonl')
})
afterEach(async () => {
  for (const files of opened.splice(0)) await files.close()
  await rm(folder, { recursive: true, force: true })
})

function anEntry(parts: Partial<StoredEntry> = {}): StoredEntry {
  return {
    ref: 'ref-1',
    tenant: 'acme',
    tenant_version: 'v1',
    event: 'token',
    code: 'token.permit',
    outcome: 'permit',
    time: NOW,
    ...parts,
  }
}

/** Real files whose work is counted and which can be made to fail. */
class CountedFiles {
  appends = 0
  opens = 0
  fault: 'none' | 'append' | 'short' | 'sync' = 'none'
  /** The disk answers when this does. */
  answered: Promise<void> = Promise.resolve()

  async open(file: string): Promise<AppendFile> {
    const real = await openAppendFile(file)
    this.opens += 1
    return { append: (bytes) => this.#append(real, bytes), close: () => real.close() }
  }

  async #append(file: AppendFile, bytes: Buffer): Promise<number> {
    this.appends += 1
    await this.answered
    if (this.fault === 'append') throw new Error('no space')
    const written = await file.append(this.fault === 'short' ? bytes.subarray(0, 20) : bytes)
    if (this.fault === 'sync') throw new Error('input/output error')
    return written
  }
}

interface OpenedLog {
  readonly log: { readonly append: (entry: StoredEntry) => Promise<void> }
  readonly files: CountedFiles
  readonly commits: Commit[]
  /** Milliseconds that were asked for, and what would happen then. */
  readonly timers: Map<() => void, number>
}

async function openLog(): Promise<OpenedLog> {
  const files = new CountedFiles()
  const commits: Commit[] = []
  const timers = new Map<() => void, number>()
  const open = new OpenFiles({ openFile: (file) => files.open(file) })
  opened.push(open)
  const log = new EntryLog({
    use: (work) => open.use(path, work),
    after: (milliseconds, work) => {
      timers.set(work, milliseconds)
      return () => timers.delete(work)
    },
    onCommit: (commit) => commits.push(commit),
  })
  return { log: { append: (entry) => log.append(formatLine(entry)) }, files, commits, timers }
}

const waits = ({ timers }: OpenedLog) => [...timers.values()]
const whenWaiting = (opened: OpenedLog, timers: readonly number[]) =>
  expect.poll(() => waits(opened), { timeout: 20_000, interval: 1 }).toEqual(timers)
const fire = ({ timers }: OpenedLog): void => {
  for (const work of timers.keys()) work()
}

/** `undefined` for a line without an entry. */
async function read(): Promise<readonly (StoredEntry | undefined)[]> {
  const lines = (await readFile(path, 'utf8')).split('\n')
  return lines.filter((line) => line !== '').map(parseLine)
}

const refs = (entries: readonly (StoredEntry | undefined)[]) => entries.map((each) => each?.ref)

describe('group commit', () => {
  test('100 entries that wait together are one write, in order', async () => {
    const { log, files, commits } = await openLog()
    const names = Array.from({ length: 100 }, (_, each) => `ref-${each}`)
    await Promise.all(names.map((ref) => log.append(anEntry({ ref }))))
    expect([files.appends, files.opens]).toEqual([1, 1])
    expect(commits).toEqual([{ entries: 100, ms: expect.any(Number), failed: false }])
    expect(refs(await read())).toEqual(names)
  })

  test('a lone entry waits for nothing', async () => {
    const opened = await openLog()
    for (let each = 1; each <= 3; each += 1) {
      await opened.log.append(anEntry())
      expect(opened.files.appends).toBe(each)
    }
    expect(waits(opened)).toEqual([])
  })

  test('entries that came during a write wait a moment for as many as there were', async () => {
    const opened = await openLog()
    const answer = Promise.withResolvers<void>()
    opened.files.answered = answer.promise
    const first = opened.log.append(anEntry())
    while (opened.files.appends < 1) await new Promise((resolve) => setImmediate(resolve))
    const later = [1, 2].map(() => opened.log.append(anEntry()))
    answer.resolve()
    await first
    await whenWaiting(opened, [5])
    expect(opened.files.appends).toBe(1)
    const last = opened.log.append(anEntry())
    await Promise.all([...later, last])
    expect([opened.files.appends, waits(opened)]).toEqual([2, []])
    expect(opened.commits.map(({ entries }) => entries)).toEqual([1, 3])
  })

  test('when fewer come they wait once, and not again', async () => {
    const opened = await openLog()
    await Promise.all([1, 2, 3].map(() => opened.log.append(anEntry())))
    const lone = opened.log.append(anEntry())
    await whenWaiting(opened, [5])
    fire(opened)
    await lone
    await opened.log.append(anEntry())
    expect(opened.commits.map(({ entries }) => entries)).toEqual([3, 1, 1])
  })
})

describe('faults', () => {
  test.each(['append', 'short', 'sync'] as const)(
    'a failed %s fails every entry of the batch; the log works again when the file does',
    async (fault) => {
      const { log, files } = await openLog()
      await log.append(anEntry({ ref: 'before' }))
      files.fault = fault
      const failing = await Promise.allSettled([1, 2, 3].map(() => log.append(anEntry())))
      expect(failing.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
      await expect(log.append(anEntry())).rejects.toThrow()
      files.fault = 'none'
      await log.append(anEntry({ ref: 'after' }))
      const found = refs(await read())
      expect(found[0]).toBe('before')
      expect(found.at(-1)).toBe('after')
    },
  )

  test('N04 a disk that hangs fails what waits for it, and what comes meanwhile', async () => {
    const opened = await openLog()
    const answer = Promise.withResolvers<void>()
    opened.files.answered = answer.promise
    const late = opened.log.append(anEntry({ ref: 'late' }))
    while (opened.files.appends < 1) await new Promise((resolve) => setImmediate(resolve))
    const waiting = opened.log.append(anEntry({ ref: 'waiting' }))
    const both = Promise.allSettled([late, waiting])
    expect(waits(opened)).toEqual([2000])
    fire(opened)
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await expect(opened.log.append(anEntry())).rejects.toThrow('does not answer')
    answer.resolve()
    await whenWaiting(opened, [])
    await opened.log.append(anEntry({ ref: 'next' }))
    // The first is there in the end, which nobody was promised.
    expect(refs(await read())).toEqual(['late', 'next'])
  })

  test('a torn last line is ended on open and counted as broken', async () => {
    const { log } = await openLog()
    await log.append(anEntry({ ref: 'whole' }))
    await appendFile(path, '{"time":1800000000,"ref":"to')
    const { log: reopened } = await openLog()
    await reopened.append(anEntry({ ref: 'next' }))
    expect(refs(await read())).toEqual(['whole', undefined, 'next'])
  })

  test('an entry another process wrote behind a torn line is read', async () => {
    const { log } = await openLog()
    await log.append(anEntry({ ref: 'before' }))
    await appendFile(path, '{"time":1800000000,"ended_because":"{\\"time\\":1')
    await log.append(anEntry({ ref: 'behind', ended_because: '{"time":1}' }))
    await log.append(anEntry({ ref: 'next' }))
    expect(refs(await read())).toEqual(['before', 'behind', 'next'])
  })
})

describe('hostile text', () => {
  test('F04 no text of a caller begins a line or ends one', async () => {
    const { log } = await openLog()
    const hostile = 'a\n{"time":1,"ref":"forged"}\r\u2028\u2029\u0000\ud800"\\'
    await log.append(anEntry({ ended_because: hostile, chain: [hostile] }))
    const lines = await read()
    expect(lines).toHaveLength(1)
    expect(lines[0]).toEqual(anEntry({ ended_because: hostile, chain: [hostile] }))
    const text = await readFile(path, 'utf8')
    expect(text.match(/[\n\r\u2028\u2029\0]/g)).toEqual(['\n'])
    expect(text.startsWith('{"time":')).toBe(true)
  })

  test('M05 long texts and lists are cut', async () => {
    const { log } = await openLog()
    const long = 'x'.repeat(100_000)
    await log.append(
      anEntry({ ended_because: long, scope_requested: Array.from({ length: 5000 }, () => long) }),
    )
    expect((await readFile(path)).length).toBeLessThan(80_000)
    const [line] = await read()
    expect(line?.ended_because).toBe('x'.repeat(1024))
  })
})

test('two logs over one file lose nothing and mix no lines', async () => {
  const [one, other] = [await openLog(), await openLog()]
  const names = Array.from({ length: 200 }, (_, each) => `ref-${each}`)
  await Promise.all(
    names.map(async (ref, each) => {
      await (each % 2 === 0 ? one : other).log.append(anEntry({ ref }))
    }),
  )
  expect(new Set(refs(await read()))).toEqual(new Set(names))
})
