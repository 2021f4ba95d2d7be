/** The audit log: one write and one sync for all that wait; nothing acknowledged is lost, nothing lost acknowledged. */
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AppendFile, openAppendFile } from '../../server/audit/append-file.ts'
import { formatLine, parseLine } from '../../server/audit/entry-line.ts'
import { EntryLog } from '../../server/audit/entry-log.ts'
import type { StoredEntry } from '../../server/use-cases/ports.ts'
import { NOW } from '../store/records.ts'

let folder: string
let path: string
const logs: EntryLog[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'actchain-audit-'))
  path = join(folder, 'audit', 'audit.jsonl')
})
afterEach(async () => {
  for (const log of logs.splice(0)) await log.close()
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

/** A real file whose work is counted and which can be made to fail. */
class CountedFile implements AppendFile {
  appends = 0
  syncs = 0
  fault: 'none' | 'append' | 'short' | 'sync' = 'none'
  readonly #file: AppendFile

  constructor(file: AppendFile) {
    this.#file = file
  }

  async append(bytes: Buffer): Promise<number> {
    this.appends += 1
    if (this.fault === 'append') throw new Error('no space')
    return this.#file.append(this.fault === 'short' ? bytes.subarray(0, 20) : bytes)
  }

  async sync(): Promise<void> {
    this.syncs += 1
    if (this.fault === 'sync') throw new Error('input/output error')
    await this.#file.sync()
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

interface OpenedLog {
  readonly log: { readonly append: (entry: StoredEntry) => Promise<void> }
  readonly file: CountedFile
}

async function openLog(): Promise<OpenedLog> {
  const file = new CountedFile(await openAppendFile(path))
  const log = new EntryLog(file)
  logs.push(log)
  return { log: { append: (entry) => log.append(formatLine(entry)) }, file }
}

/** `undefined` for a line without an entry. */
async function read(): Promise<readonly (StoredEntry | undefined)[]> {
  const lines = (await readFile(path, 'utf8')).split('\n')
  return lines.filter((line) => line !== '').map(parseLine)
}
const refs = (entries: readonly (StoredEntry | undefined)[]) => entries.map((each) => each?.ref)

describe('group commit', () => {
  test('100 entries that wait together are one write and one sync, in order', async () => {
    const { log, file } = await openLog()
    const names = Array.from({ length: 100 }, (_, each) => `ref-${each}`)
    await Promise.all(names.map((ref) => log.append(anEntry({ ref }))))
    expect([file.appends, file.syncs]).toEqual([1, 1])
    expect(refs(await read())).toEqual(names)
  })

  test('an entry is acknowledged only after a sync that began after it was written', async () => {
    const { log, file } = await openLog()
    for (let each = 1; each <= 3; each += 1) {
      await log.append(anEntry())
      expect([file.appends, file.syncs]).toEqual([each, each])
    }
  })

  test('entries that come during a write share the next one', async () => {
    const { log, file } = await openLog()
    const first = log.append(anEntry())
    await new Promise((resolve) => setImmediate(resolve))
    const later = Array.from({ length: 20 }, () => log.append(anEntry()))
    await Promise.all([first, ...later])
    expect([file.appends, file.syncs]).toEqual([2, 2])
  })
})

describe('faults', () => {
  test.each(['append', 'short', 'sync'] as const)(
    'a failed %s fails every entry of the batch; the log works again when the file does',
    async (fault) => {
      const { log, file } = await openLog()
      await log.append(anEntry({ ref: 'before' }))
      file.fault = fault
      const failing = await Promise.allSettled([1, 2, 3].map(() => log.append(anEntry())))
      expect(failing.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
      await expect(log.append(anEntry())).rejects.toThrow()
      file.fault = 'none'
      await log.append(anEntry({ ref: 'after' }))
      const found = refs(await read())
      expect(found[0]).toBe('before')
      expect(found.at(-1)).toBe('after')
    },
  )

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
    await appendFile(path, '{"time":1800000000,"ended_because":"{\\"time\\":1')
    await log.append(anEntry({ ref: 'behind', ended_because: '{"time":1}' }))
    await log.append(anEntry({ ref: 'next' }))
    expect(refs(await read())).toEqual(['behind', 'next'])
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
