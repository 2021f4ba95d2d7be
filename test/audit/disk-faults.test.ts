/**
 * Threat N04, figure F2: a disk that fails at each of its writes in turn, in every way there is. What was acknowledged is on
 * record once the disk works again, in the order of its process; what was not may be there or not; nothing is torn apart, and
 * the log verifies.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AppendFile, openAppendFile } from '../../server/audit/append-file.ts'
import { type AuditWriter } from '../../server/audit/audit-writer.ts'
import { type JournalFile, openJournalFile } from '../../server/audit/journal-file.ts'
import { openCopy } from '../../server/audit/log-copy.ts'
import { verifyLog } from '../../server/audit/verify-log.ts'
import type { AuditEntry } from '../../server/use-cases/ports.ts'
import { NOW } from '../store/records.ts'
import { openTestWriter, readEntries } from '../support/embedded-store.ts'
import { LOG, stageLog } from './log-stage.ts'

/** How a write ends: with nothing written, with part of it, with all of it and yet a fault, or only much later. */
const FAULTS = ['refused', 'part', 'unsynced', 'late'] as const
type Fault = (typeof FAULTS)[number]

let dataFolder: string
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-disk-'))
})
afterEach(() => rmSync(dataFolder, { recursive: true, force: true }))

type Bad = (write: number, place: 'log' | 'journal') => boolean

/** A disk whose writes are numbered from 1, log and journal alike; those of `bad` fail. */
class Disk {
  writes = 0
  elapsed = 0
  readonly #bad: Bad
  readonly #fault: Fault
  readonly #timers = new Map<() => void, number>()
  #late: (() => void)[] = []

  constructor(fault: Fault, bad: Bad) {
    this.#fault = fault
    this.#bad = bad
  }

  open(): Promise<AuditWriter> {
    return openTestWriter(dataFolder, {
      openFile: async (path) => this.#logFile(await openAppendFile(path)),
      openJournalFile: async (path) => this.#journalFile(await openJournalFile(path)),
      elapsed: () => this.elapsed,
      after: (milliseconds, work) => {
        this.#timers.set(work, milliseconds)
        return () => this.#timers.delete(work)
      },
    })
  }

  /** A second is over; or two, where a write does not end by itself. */
  async pass(): Promise<void> {
    this.elapsed += 1000
    this.#fire(this.#late.length > 0 ? 2000 : 1000)
    await new Promise((resolve) => setImmediate(resolve))
    for (const end of this.#late.splice(0)) end()
  }

  /** Settles `promise`: nothing is gathered for long, and what hangs is waited for until patience ends. */
  async settle<Value>(promise: Promise<Value>): Promise<PromiseSettledResult<Value>> {
    let isSettled = false
    const settled = Promise.allSettled([promise]).then(([result]) => {
      isSettled = true
      return result
    })
    while (!isSettled) {
      await new Promise((resolve) => setImmediate(resolve))
      this.#fire(5)
      if (this.#late.length > 0) await this.pass()
    }
    return settled
  }

  #fire(most: number): void {
    for (const [work, milliseconds] of this.#timers) {
      if (milliseconds > most) continue
      this.#timers.delete(work)
      work()
    }
  }

  #logFile(file: AppendFile): AppendFile {
    const append = (bytes: Buffer) => file.append(bytes)
    return { append: (bytes) => this.#write('log', bytes, append), close: () => file.close() }
  }

  #journalFile(file: JournalFile): JournalFile {
    return {
      read: () => file.read(),
      write: (bytes, position) =>
        this.#write('journal', bytes, (part) => file.write(part, position)),
      close: () => file.close(),
    }
  }

  async #write(
    place: 'log' | 'journal',
    bytes: Buffer,
    write: (bytes: Buffer) => Promise<number>,
  ): Promise<number> {
    this.writes += 1
    if (!this.#bad(this.writes, place)) return write(bytes)
    if (this.#fault === 'refused') throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    if (this.#fault === 'part') return write(bytes.subarray(0, bytes.length >> 1))
    if (this.#fault === 'late') await new Promise<void>((resolve) => this.#late.push(resolve))
    const written = await write(bytes)
    if (this.#fault === 'late') return written
    throw Object.assign(new Error('not synced'), { code: 'EIO' })
  }
}

function anEntry(ref: string, event: AuditEntry['event']): AuditEntry {
  const action = event === 'task' ? { action: 'revoke_task' } : {}
  return {
    time: NOW,
    ref,
    tenant: 'acme',
    tenant_version: 'v1',
    event,
    outcome: 'permit',
    ...action,
  }
}

/** Ten decisions and five revocations, one after the other and two at a time; the names of those that were acknowledged. */
async function work(disk: Disk, writer: AuditWriter, name: string): Promise<readonly string[]> {
  const acknowledged: string[] = []
  const one = async (ref: string, kind: 'token' | 'task'): Promise<void> => {
    const entry = anEntry(ref, kind)
    const done = kind === 'task' ? writer.appendRevocation(entry) : writer.append(entry)
    const { status } = await disk.settle(done)
    if (status === 'fulfilled') acknowledged.push(ref)
  }
  for (let each = 0; each < 5; each += 1) {
    await one(`${name}-token-${each}`, 'token')
    await disk.pass()
    await Promise.all([one(`${name}-beside-${each}`, 'token'), one(`${name}-task-${each}`, 'task')])
  }
  return acknowledged
}

/** Refs of the log, those that are there twice once. */
const recorded = (): readonly string[] => [
  ...new Set(readEntries(dataFolder).map(({ ref }) => ref)),
]

/** With a disk that works: what a next process finds, and signs. */
async function recover(): Promise<void> {
  await (await openTestWriter(dataFolder)).close()
  const stage = stageLog(dataFolder)
  await stage.trees.checkpoint(LOG)
  await stage.close()
  const copy = openCopy(stage.folder)
  const { entries, signed, damages } = await verifyLog(copy)
  copy.close()
  expect({ signed, damages }).toEqual({ signed: entries, damages: [] })
}

async function close(disk: Disk, writer: AuditWriter): Promise<void> {
  await disk.settle(writer.close())
}

/** Writes that the same work takes where nothing fails. */
const MOST_WRITES = 24

describe.each(FAULTS)('N04 F2 a disk whose write is %s', (fault) => {
  test(`at any one of ${MOST_WRITES} places: nothing acknowledged is lost, and all revocations are`, async () => {
    for (let bad = 2; bad <= MOST_WRITES; bad += 1) {
      const disk = new Disk(fault, (write) => write === bad)
      const writer = await disk.open()
      const acknowledged = await work(disk, writer, `bad-${bad}`)
      await close(disk, writer)
      await recover()
      const found = recorded()
      expect(acknowledged.filter((ref) => !found.includes(ref))).toEqual([])
      expect(acknowledged.filter((ref) => ref.includes('task'))).toHaveLength(5)
      // Not what was in one write with it, waited behind it, or came within its second.
      expect(acknowledged.length).toBeGreaterThanOrEqual(8)
    }
  })

  test('at every write of the log from the k-th on: revocations go on, and are there at the next start', async () => {
    for (let bad = 2; bad <= 12; bad += 1) {
      const disk = new Disk(fault, (write, place) => write >= bad && place === 'log')
      const writer = await disk.open()
      const acknowledged = await work(disk, writer, `from-${bad}`)
      expect(acknowledged.filter((ref) => ref.includes('task'))).toHaveLength(5)
      await close(disk, writer)
      await recover()
      const found = recorded()
      expect(acknowledged.filter((ref) => !found.includes(ref))).toEqual([])
    }
  })
})
