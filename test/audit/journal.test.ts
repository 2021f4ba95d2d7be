/** The journal: its room is taken at the start, its records outlive the process, and nothing else is ever taken for one. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AppendFile, openAppendFile } from '../../server/audit/append-file.ts'
import type { AuditWriter } from '../../server/audit/audit-writer.ts'
import { formatLine } from '../../server/audit/entry-line.ts'
import { JOURNAL_BYTES, Journal } from '../../server/audit/journal.ts'
import { openJournalFile } from '../../server/audit/journal-file.ts'
import { journalFolder } from '../../server/audit/log-paths.ts'
import { isOfDead, markOf } from '../../server/audit/process-mark.ts'
import type { AuditEntry } from '../../server/use-cases/ports.ts'
import { NOW } from '../store/records.ts'
import { openTestWriter, readEntries, readLog } from '../support/embedded-store.ts'

let dataFolder: string
let path: string
const opened: { close(): Promise<void> }[] = []
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-journal-'))
  path = join(dataFolder, 'journal')
})
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
  rmSync(dataFolder, { recursive: true, force: true })
})

async function openJournal(): Promise<Journal> {
  const journal = await Journal.open(await openJournalFile(path))
  opened.push(journal)
  return journal
}

const aRecord = (line: string, log = 'acme') => ({ log, line })

describe('a journal', () => {
  test('has its room from the start, and its records when it is opened again', async () => {
    const journal = await openJournal()
    expect(readFileSync(path)).toEqual(Buffer.alloc(JOURNAL_BYTES))
    const records = [aRecord('{"time":1}'), aRecord('{"time":2,"ref":"é"}', '_platform')]
    for (const record of records) await journal.append(record)
    expect(journal.records).toEqual(records)
    expect((await openJournal()).records).toEqual(records)
    expect(readFileSync(path)).toHaveLength(JOURNAL_BYTES)
  })

  test('is empty once all its records are in their logs, not before', async () => {
    const journal = await openJournal()
    const records = [aRecord('one'), aRecord('two', 'globex')]
    for (const record of records) await journal.append(record)
    await journal.drained(new Set([records[0]!]))
    expect(journal.records).toEqual([records[1]])
    expect((await openJournal()).records).toEqual(records)
    await journal.drained(new Set([records[1]!]))
    expect(readFileSync(path)).toEqual(Buffer.alloc(JOURNAL_BYTES))
    await journal.append(aRecord('three'))
    expect((await openJournal()).records).toEqual([aRecord('three')])
  })

  test('a record that is not whole ends it, wherever it was cut or changed', async () => {
    const journal = await openJournal()
    await journal.append(aRecord('first'))
    const begin = journal.octets
    await journal.append(aRecord('second'))
    const whole = readFileSync(path)
    for (let at = begin; at < journal.octets; at += 1) {
      const changed = Buffer.from(whole)
      changed[at] = (changed[at] ?? 0) ^ 1
      writeFileSync(path, changed)
      expect((await openJournal()).records).toEqual([aRecord('first')])
      writeFileSync(path, whole.subarray(0, at))
      expect((await openJournal()).records).toEqual([aRecord('first')])
    }
  })

  test('what a failed write left behind a shorter record is no record', async () => {
    const file = await openJournalFile(path)
    let most = Number.POSITIVE_INFINITY
    const journal = await Journal.open({
      ...file,
      write: (bytes, position) => file.write(bytes.subarray(0, most), position),
    })
    opened.push(journal)
    most = 200
    await expect(journal.append(aRecord('x'.repeat(400)))).rejects.toThrow('part of a write')
    most = Number.POSITIVE_INFINITY
    await journal.append(aRecord('short'))
    expect((await openJournal()).records).toEqual([aRecord('short')])
  })

  test('M05 takes no more than it has room for', async () => {
    const journal = await openJournal()
    const large = aRecord('x'.repeat(JOURNAL_BYTES / 4))
    for (let each = 0; each < 3; each += 1) await journal.append(large)
    await expect(journal.append(large)).rejects.toThrow('full')
    await journal.append(aRecord('small'))
    expect((await openJournal()).records).toHaveLength(4)
    expect(readFileSync(path)).toHaveLength(JOURNAL_BYTES)
  })
})

describe('marks of processes', () => {
  test('a process that runs is told from one with its number before it, and from none', () => {
    const mine = markOf(process.pid) ?? ''
    expect(mine).toMatch(new RegExp(`^${process.pid}-`))
    expect(isOfDead(`${mine}-1`)).toBe(false)
    expect(isOfDead(`${process.pid}-${'0'.repeat(12)}-1`)).toBe(true)
    expect(isOfDead(`4194304-${'0'.repeat(12)}-1`)).toBe(true)
    expect(isOfDead('something else')).toBe(false)
  })
})

/** Logs that can be made to fail, over real files. */
function openWriter(state: { fails: boolean }): Promise<AuditWriter> {
  const openFile = async (file: string): Promise<AppendFile> => {
    if (state.fails) throw new Error('the disk is full')
    const real = await openAppendFile(file)
    const append = (bytes: Buffer) =>
      state.fails ? Promise.reject(new Error('the disk is full')) : real.append(bytes)
    return { append, close: () => real.close() }
  }
  return openTestWriter(dataFolder, { openFile, elapsed: () => elapsed, after: soon })
}

/** Entries are gathered; a second never passes. */
function soon(milliseconds: number, work: () => void): () => void {
  if (milliseconds >= 1000) return () => {}
  const timer = setTimeout(work, milliseconds)
  return () => clearTimeout(timer)
}

let elapsed = 0
const journals = () => readdirSync(journalFolder(dataFolder))
const refs = () => readEntries(dataFolder).map(({ ref }) => ref)

function anEntry(ref: string, tenant = 'acme'): AuditEntry {
  const decided = { event: 'task', action: 'revoke_task', outcome: 'permit' } as const
  return { time: NOW, ref, tenant, tenant_version: 'v1', ...decided }
}

describe('N04 the writer', () => {
  test('says for a second that it fails; then what waited comes before what is new', async () => {
    const state = { fails: true }
    const writer = await openWriter(state)
    expect(writer.isFailing).toBe(false)
    await expect(writer.append(anEntry('no'))).rejects.toThrow('full')
    expect(writer.isFailing).toBe(true)
    for (const ref of ['one', 'two', 'three']) await writer.appendRevocation(anEntry(ref))
    expect(writer.octets()).toBeGreaterThan(0)
    state.fails = false
    // Within the second nobody tries.
    await expect(writer.append(anEntry('too soon'))).rejects.toThrow('a moment ago')
    elapsed += 1000
    expect(writer.isFailing).toBe(false)
    await Promise.all([writer.append(anEntry('four')), writer.appendRevocation(anEntry('five'))])
    expect(refs()).toEqual(['one', 'two', 'three', 'four', 'five'])
    expect(writer.octets()).toBe(0)
    await writer.close()
  })

  test('one log that fails holds back no other', async () => {
    const state = { fails: true }
    const writer = await openWriter(state)
    await writer.appendRevocation(anEntry('one'))
    state.fails = false
    await writer.appendRevocation(anEntry('other', 'globex'))
    expect(readLog(dataFolder, 'globex')).toHaveLength(1)
    expect(readLog(dataFolder, 'acme')).toHaveLength(0)
    await writer.close()
    expect(readLog(dataFolder, 'acme')).toHaveLength(1)
  })

  test('what a process left is in the logs before the next one writes, and its file is taken over', async () => {
    const state = { fails: true }
    const writer = await openWriter(state)
    await writer.appendRevocation(anEntry('left'))
    await writer.close()
    const [left] = journals()
    expect(left).toMatch(/^left-/)
    // Another one was killed: it gave nothing up.
    const killed = join(journalFolder(dataFolder), `4194304-${'0'.repeat(12)}-1`)
    const journal = await Journal.open(await openJournalFile(killed))
    await journal.append(aRecord(formatLine({ ...anEntry('killed'), code: 'task.revoked' })))
    await journal.close()
    state.fails = false
    const next = await openWriter(state)
    expect(refs().toSorted()).toEqual(['killed', 'left'])
    await next.append(anEntry('next'))
    expect(refs().at(-1)).toBe('next')
    await next.close()
    expect(journals()).toHaveLength(1)
  })

  test('two that start at once adopt what is left once', async () => {
    const state = { fails: true }
    const writer = await openWriter(state)
    await writer.appendRevocation(anEntry('left'))
    await writer.close()
    state.fails = false
    const both = await Promise.all([openWriter(state), openWriter(state)])
    expect(refs()).toEqual(['left'])
    for (const each of both) await each.close()
    expect(journals()).toHaveLength(2)
  })
})
