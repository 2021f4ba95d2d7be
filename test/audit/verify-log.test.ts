/** Verification of a copy of a log: whatever was done to it is found, and named. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatVkey } from '../../lib/src/audit/index.ts'
import { type LogReport, type VerifyOptions, verifyLog } from '../../server/audit/verify-log.ts'
import { appendEntries, LOG, type LogStage, lineOf, ORIGIN, stageLog } from './log-stage.ts'
import { copyOf, createChance, type LogFiles, linesOf, mutate } from './mutations.ts'

/** Enough for a full subtree. */
const ENTRIES = 300
const MUTATIONS = 10_000
/** One in so many is of the large log, the rest of one without subtrees: a whole verification each. */
const LARGE_IN = 8

let stage: LogStage
let files: LogFiles
/** Of the first 200 entries. */
let earlier: string
let vkey: string
const folders: string[] = []

interface Made {
  readonly stage: LogStage
  readonly files: LogFiles
  readonly earlier: string
}

async function makeLog(first: number, more: number): Promise<Made> {
  const made = stageLog()
  folders.push(made.dataFolder)
  appendEntries(made, first)
  const witnessed = await made.trees.checkpoint(LOG)
  appendEntries(made, more)
  const checkpoint = await made.trees.checkpoint(LOG)
  const file = (name: string): Buffer =>
    existsSync(join(made.folder, name)) ? readFileSync(join(made.folder, name)) : Buffer.alloc(0)
  return {
    stage: made,
    earlier: witnessed!,
    files: {
      entries: file('entries.jsonl'),
      leaves: file('leaves'),
      subtrees: file('subtrees-1'),
      checkpoint: Buffer.from(checkpoint!),
      witnessed: Buffer.from(witnessed!),
      key: file('key'),
    },
  }
}

beforeAll(async () => {
  ;({ stage, files, earlier } = await makeLog(200, ENTRIES - 200))
  vkey = await stage.trees.keyOf(LOG)
})
afterAll(async () => {
  await stage.close()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const verify = (parts: Partial<LogFiles>, options?: VerifyOptions): Promise<LogReport> =>
  verifyLog(copyOf({ ...files, ...parts }), options)
const sentences = ({ damages }: LogReport): readonly string[] => damages.map(({ text }) => text)
const lines = (): readonly Buffer[] => linesOf(files.entries)
const joined = (parts: readonly Buffer[]): Partial<LogFiles> => ({ entries: Buffer.concat(parts) })

test('a whole log', async () => {
  expect(await verify({})).toEqual({
    entries: ENTRIES,
    unended: 0,
    torn: [],
    tornCount: 0,
    signed: ENTRIES,
    isKeyGiven: false,
    damages: [],
  })
  expect(await verify({}, { vkey, held: [{ name: 'held', note: earlier }] })).toMatchObject({
    isKeyGiven: true,
    damages: [],
  })
})

test('N02 10,000 single mutations: each is found, and named for what it is', async () => {
  const chance = createChance(20_261_122)
  const small = await makeLog(20, 20)
  await small.stage.close()
  const logs = [files, ...Array.from({ length: LARGE_IN - 1 }, () => small.files)]
  const staged = logs.map((each) => ({ files: each, lines: linesOf(each.entries) }))
  const wrong: unknown[] = []
  for (let round = 0; round < MUTATIONS; round += 1) {
    const { what, files: changed, kind, index, other } = mutate(staged[round % LARGE_IN]!, chance)
    const { damages } = await verifyLog(copyOf(changed))
    const expected = [{ kind, index, other }]
    const told = damages.map((each) => ({ kind: each.kind, index: each.index, other: each.other }))
    if (JSON.stringify(told) !== JSON.stringify(expected))
      wrong.push({ round, what, expected, damages })
  }
  expect(wrong.slice(0, 5)).toEqual([])
}, 180_000)

describe('N02 what is said of', () => {
  const without = (index: number, count = 1) => joined(lines().toSpliced(index, count))
  test.each<[string, () => Partial<LogFiles>, readonly string[]]>([
    ['a removed entry', () => without(212), ['entry 212 was removed']],
    ['some removed entries', () => without(5, 3), ['entries 5 to 7 were removed']],
    ['the first one', () => without(0), ['entry 0 was removed']],
    [
      'swapped entries',
      () => joined(lines().with(5, lines()[9]!).with(9, lines()[5]!)),
      ['entries 5 and 9 are swapped'],
    ],
    [
      'neighbours that are swapped',
      () => joined(lines().with(5, lines()[6]!).with(6, lines()[5]!)),
      ['entries 5 and 6 are swapped'],
    ],
    [
      'a moved entry',
      () => joined(lines().toSpliced(5, 1).toSpliced(20, 0, lines()[5]!)),
      ['entry 5 was moved to 20'],
    ],
    [
      'an inserted entry',
      () => joined(lines().toSpliced(3, 0, Buffer.from('{"time":1}\n'))),
      ['entry 3 was inserted'],
    ],
    [
      'a repeated entry',
      () => joined(lines().toSpliced(30, 0, lines()[3]!)),
      ['entry 30 was inserted: it is entry 3 again'],
    ],
    [
      'a changed entry',
      () => joined(lines().with(7, Buffer.from('{"time":1}\n'))),
      ['entry 7 was changed'],
    ],
    [
      'an entry in the place of another',
      () => joined(lines().with(7, lines()[20]!)),
      ['entry 7 was changed: in its place is entry 20 again'],
    ],
    [
      'many changes at once',
      () =>
        joined(lines().toSpliced(200, 1).toSpliced(100, 0, Buffer.from('{}\n')).toSpliced(3, 1)),
      ['entry 3 was removed', 'entry 99 was inserted', 'entry 200 was removed'],
    ],
    [
      'a part that was written anew',
      () => joined(lines().map((line, at) => (at < 50 ? line : Buffer.from(`{"at":${at}}\n`)))),
      ['entries 50 to 299 were changed: 250 other lines are in their place'],
    ],
    [
      'a cut log',
      () => without(291, 9),
      ['the log was cut after entry 290: the checkpoint has 300'],
    ],
    ['an emptied log', () => joined([]), ['the log was emptied: the checkpoint has 300']],
    [
      'a leaf file',
      () => ({ leaves: Buffer.from(files.leaves).fill(1, 12 * 40, 13 * 40) }),
      ['the leaf file is damaged at 12; the entries are whole'],
    ],
    [
      'a leaf file that is gone',
      () => ({ leaves: Buffer.alloc(0) }),
      ['the leaf file ends before leaf 0; the entries are whole'],
    ],
    [
      'a file of subtrees',
      () => ({ subtrees: Buffer.alloc(32) }),
      ['the file subtrees-1 is damaged at 0; the entries are whole'],
    ],
  ])('%s', async (_, parts, told) => {
    expect(sentences(await verify(parts()))).toEqual(told)
  })

  test('entries and leaves that were both made anew', async () => {
    const other = await makeLog(200, 100)
    await other.stage.close()
    const { entries, leaves, subtrees } = other.files
    expect(sentences(await verify({ entries, leaves, subtrees }))).toEqual([
      'some of entries 0 to 299 changed, or the leaf file with it: neither fits the checkpoint of 300',
    ])
  })

  test('a cut log whose checkpoint was put back too, by one that was held elsewhere', async () => {
    const cut = {
      entries: Buffer.concat(lines().slice(0, 200)),
      leaves: files.leaves.subarray(0, 200 * 40),
      checkpoint: Buffer.from(earlier),
    }
    expect((await verify(cut)).damages).toEqual([])
    const held = [{ name: 'held.txt', note: files.checkpoint.toString() }]
    expect(sentences(await verify(cut, { vkey, held }))).toEqual([
      'the log was cut after entry 199: held.txt has 300',
    ])
  })

  test('a log with a key that is not the one given', async () => {
    const other = await makeLog(10, 10)
    const foreign = await formatVkey(ORIGIN, 'ed25519', new Uint8Array(32).fill(7))
    await other.stage.close()
    expect(sentences(await verify({}, { vkey: foreign }))).toEqual([
      'the key file holds another key than the one given',
      'the checkpoint cannot be trusted: the note is not signed with this key',
      'the witnessed checkpoint cannot be trusted: the note is not signed with this key',
    ])
  })

  test('a log without its key, and one without its checkpoint', async () => {
    const copy = copyOf(files)
    expect(sentences(await verifyLog({ ...copy, key: undefined }))).toEqual([
      'the key file is missing, so no signature can be checked: give the key with --key',
    ])
    expect(sentences(await verifyLog({ ...copy, checkpoint: undefined }))).toEqual([
      'the checkpoint is missing, though there was one',
    ])
  })
})

describe('no damage is', () => {
  test('what is not signed yet, whether leaves were made of it or not', async () => {
    const more = Buffer.from(`${lineOf(1)}\n`)
    const report = await verify({ entries: Buffer.concat([files.entries, more, more.subarray(9)]) })
    expect(report).toMatchObject({ entries: 302, signed: 300, torn: [301], damages: [] })
    const whole = { ...files, checkpoint: Buffer.from(earlier) }
    expect(await verify(whole)).toMatchObject({ entries: 300, signed: 200, damages: [] })
  })

  test('a line without its end, and what a crash left of leaves that were not signed', async () => {
    const entries = Buffer.concat([files.entries, Buffer.from('{"time":18')])
    const leaves = Buffer.concat([files.leaves, Buffer.alloc(95)])
    expect(await verify({ entries, leaves })).toMatchObject({ unended: 10, damages: [] })
  })

  test('but what differs there is told, and that nothing signed it', async () => {
    const checkpoint = Buffer.from(earlier)
    const changed = lines().with(250, Buffer.from('{"time":1}\n'))
    expect(sentences(await verify({ ...joined(changed), checkpoint }))).toEqual([
      'entry 250 was changed (not signed yet)',
    ])
    const cut = lines().slice(0, 290)
    expect(sentences(await verify({ ...joined(cut), checkpoint }))).toEqual([
      'the log was cut after entry 289: the leaf file has 300',
    ])
  })
})
