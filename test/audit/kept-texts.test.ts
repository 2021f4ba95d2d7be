/** Texts beside a log: sealed, read again, erased in place so that no file has them any more. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTextSeal } from '../../keys/text-seal.ts'
import { openAppendFile } from '../../server/audit/append-file.ts'
import { createKeptTexts, type KeptTexts } from '../../server/audit/kept-texts.ts'
import { logFolder, textsPath } from '../../server/audit/log-paths.ts'
import { withTexts } from '../../server/audit/texts-beside.ts'
import type { AuditEntry, TextName } from '../../server/use-cases/ports.ts'

let dataFolder: string
let texts: KeptTexts
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-texts-'))
  texts = openTexts()
})
afterEach(async () => {
  await texts.close()
  rmSync(dataFolder, { recursive: true, force: true })
})

const openTexts = (secret = 'a secret') =>
  createKeptTexts({
    dataFolder,
    seal: createTextSeal(secret),
    openFile: openAppendFile,
    after: (milliseconds, work) => {
      const timer = setTimeout(work, milliseconds)
      return () => clearTimeout(timer)
    },
  })

const textsOf = async (from: KeptTexts, tenant: string, ref: string) =>
  (await from.textsOf(tenant, [ref])).get(ref) ?? {}
const of = (ref: string, tenant = 'acme') => ({ tenant, ref })
const path = () => textsPath(logFolder(dataFolder, 'acme'))
const onDisk = () => readFileSync(path(), 'latin1')

describe('a kept text', () => {
  test('is read by the reference of its entry, and is nowhere in the clear', async () => {
    await texts.keep('acme', of('one'), { because: 'her laptop was lost — Zoë’s' })
    await texts.keep('acme', of('two'), { purpose: 'quarter', because: 'x' })
    expect(await textsOf(texts, 'acme', 'one')).toEqual({ because: 'her laptop was lost — Zoë’s' })
    expect(await textsOf(texts, 'acme', 'two')).toEqual({ purpose: 'quarter', because: 'x' })
    expect(await textsOf(texts, 'acme', 'three')).toEqual({})
    expect(await textsOf(texts, 'globex', 'one')).toEqual({})
    for (const clear of ['laptop', 'quarter']) expect(onDisk()).not.toContain(clear)
  })

  test('opens for its tenant and its entry alone, and under no other secret', async () => {
    await texts.keep('acme', of('one'), { because: 'a' })
    const folder = logFolder(dataFolder, 'globex')
    mkdirSync(folder)
    writeFileSync(textsPath(folder), onDisk())
    expect(await textsOf(texts, 'globex', 'one')).toEqual({})
    expect(await textsOf(openTexts('another'), 'acme', 'one')).toEqual({})
    await appendFile(path(), onDisk().replace('"one"', '"two"'))
    expect(await textsOf(texts, 'acme', 'two')).toEqual({})
  })

  test('is found among many, whichever block of the file it is in', async () => {
    const refs = Array.from({ length: 1500 }, (_, at) => `ref-${at}`)
    await Promise.all(refs.map((ref) => texts.keep('acme', of(ref), { because: `why ${ref}` })))
    for (const ref of ['ref-0', 'ref-749', 'ref-1499']) {
      expect(await textsOf(texts, 'acme', ref)).toEqual({ because: `why ${ref}` })
    }
    expect(await texts.eraseTexts('acme', refs)).toBe(1500)
    expect(onDisk()).not.toMatch(/"sealed":"[^.]/)
  })
})

describe('an erased text', () => {
  test('is gone with its sealed form; everything around it stays where it was', async () => {
    for (const ref of ['one', 'two', 'three']) {
      await texts.keep('acme', of(ref), { because: `why ${ref}` })
    }
    const [first, second, third] = onDisk().split('\n')
    expect(await texts.eraseTexts('acme', ['two', 'nobody'])).toBe(1)
    const after = onDisk().split('\n')
    expect([after[0], after[2]]).toEqual([first, third])
    expect(after[1]).toMatch(/^\{"ref":"two","sealed":"\.+"\}$/)
    expect(after[1]).toHaveLength(second?.length ?? 0)
    expect(await textsOf(texts, 'acme', 'two')).toEqual({})
    expect(await textsOf(texts, 'acme', 'three')).toEqual({ because: 'why three' })
    expect(await texts.eraseTexts('acme', ['two'])).toBe(0)
    expect(readdirSync(join(path(), '..'))).toEqual(['texts.jsonl'])
  })

  test('is erased where a crash cut it short, too', async () => {
    await texts.keep('acme', of('whole'), { because: 'a' })
    const torn = onDisk().replace('whole', 'torn').slice(0, -12)
    const behind = onDisk().replace('whole', 'behind')
    await appendFile(path(), `${torn}${behind}`)
    expect(await texts.eraseTexts('acme', ['torn'])).toBe(1)
    expect(onDisk()).toContain(behind)
    expect(onDisk()).toMatch(/"torn","sealed":"\.+\{"ref":"behind"/)
  })

  test('of a log without texts is none', async () => {
    expect(await texts.eraseTexts('acme', ['one'])).toBe(0)
  })
})

describe('beside the log', () => {
  const calls: string[] = []
  const failing = new Set<string>()
  const note = (name: string) => async (): Promise<void> => {
    if (failing.has(name)) throw new Error(`${name} failed`)
    calls.push(name)
  }
  const log = (kept: readonly TextName[]) =>
    withTexts({
      audit: { append: note('append'), appendRevocation: note('journal'), isFailing: false },
      texts: {
        keep: async (_log, _entry, some) => {
          await note('keep')()
          calls.push(...Object.keys(some))
        },
      },
      logOf: () => 'acme',
      keptBy: () => new Set(kept),
    })
  const entry = (some: AuditEntry['texts']): AuditEntry => ({
    time: 1,
    ...of('one'),
    tenant_version: 'v1',
    event: 'task',
    outcome: 'permit',
    ...(some === undefined ? {} : { texts: some }),
  })
  beforeEach(() => {
    calls.length = 0
    failing.clear()
  })

  test('only what the tenant keeps is kept, before the entry is durable', async () => {
    await log(['because']).append(entry({ purpose: 'a', because: 'b' }))
    expect(calls).toEqual(['keep', 'because', 'append'])
  })

  test('nothing is where it keeps nothing, or there are no texts', async () => {
    await log([]).append(entry({ purpose: 'a' }))
    await log(['purpose']).append(entry(undefined))
    expect(calls).toEqual(['append', 'append'])
  })

  test('N04 a text that cannot be kept keeps a decision back, and no revocation', async () => {
    failing.add('keep')
    await expect(log(['purpose']).append(entry({ purpose: 'a' }))).rejects.toThrow('keep failed')
    expect(calls).toEqual([])
    await log(['purpose']).appendRevocation(entry({ purpose: 'a' }))
    expect(calls).toEqual(['journal'])
  })
})
