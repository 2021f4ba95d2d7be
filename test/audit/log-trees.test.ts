/** The tree of a log beside its entries: what is signed is on disk and goes on from what was signed, whatever happened meanwhile. */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  leafHash,
  verifyCheckpoint,
  verifyConsistency,
  verifyInclusion,
} from '../../lib/src/audit/index.ts'
import { LEAF_OCTETS } from '../../server/audit/leaf-file.ts'
import { openCopy } from '../../server/audit/log-copy.ts'
import {
  checkpointPath,
  damagedFolder,
  entriesPath,
  indexFolder,
  keyPath,
  leavesPath,
  subtreesPath,
  witnessedPath,
} from '../../server/audit/log-paths.ts'
import { verifyLog } from '../../server/audit/verify-log.ts'
import { appendEntries, LOG, type LogStage, stageLog } from './log-stage.ts'

let stage: LogStage
const stages: LogStage[] = []

function open(dataFolder?: string): LogStage {
  const opened = stageLog(dataFolder)
  stages.push(opened)
  return opened
}

/** As a later process finds it. */
async function reopen(): Promise<LogStage> {
  await stages.pop()?.close()
  return open(stage.dataFolder)
}

beforeEach(() => {
  stage = open()
})
afterEach(async () => {
  for (const each of stages.splice(0)) await each.close()
  rmSync(stage.dataFolder, { recursive: true, force: true })
})

const files = (names: readonly ((folder: string) => string)[]): readonly string[] =>
  names.map((path) => readFileSync(path(stage.folder)).toString('hex'))
const KEPT = [leavesPath, (folder: string) => subtreesPath(folder, 1)]

async function signedBy({ trees }: LogStage): Promise<{ size: number; root: Uint8Array }> {
  return verifyCheckpoint((await trees.checkpoint(LOG))!, await trees.keyOf(LOG))
}

describe('a growing log', () => {
  test('has a leaf for each line, the lines themselves, and an index that knows them', async () => {
    expect((await stage.trees.catchUp(LOG)).size).toBe(0)
    const lines = appendEntries(stage, 700)
    const tree = await stage.trees.catchUp(LOG)
    expect([tree.size, stage.index.known(LOG)]).toEqual([700, 700])
    const read = await tree.readLines(0, 700)
    expect(read.map((line) => Buffer.from(line).toString())).toEqual(lines)
    expect((await tree.readLines(255, 257)).length).toBe(2)
    await expect(tree.readLines(699, 701)).rejects.toThrow(RangeError)
  })

  test('a line that is not ended yet is no leaf; a torn one that was ended is', async () => {
    appendEntries(stage, 3)
    appendFileSync(entriesPath(stage.folder), '{"time":1,"ref":"to')
    expect((await stage.trees.catchUp(LOG)).size).toBe(3)
    appendFileSync(entriesPath(stage.folder), '\n')
    const tree = await stage.trees.catchUp(LOG)
    const [torn] = await tree.readLines(3, 4)
    expect([tree.size, Buffer.from(torn!).toString()]).toEqual([4, '{"time":1,"ref":"to'])
  })

  test('proofs of every leaf and size verify with what third parties have', async () => {
    const lines = appendEntries(stage, 600)
    const tree = await stage.trees.catchUp(LOG)
    const sizes = fc.integer({ min: 1, max: 600 })
    await fc.assert(
      fc.asyncProperty(sizes, sizes, sizes, async (a, b, c) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)]
        const index = (c - 1) % to
        const leaf = Buffer.from(lines[index]!)
        const root = tree.root(to)
        await verifyInclusion({
          leaf,
          index,
          size: to,
          proof: tree.inclusionProof(index, to),
          root,
        })
        const [proof, fromRoot] = [tree.consistencyProof(from, to), tree.root(from)]
        await verifyConsistency({ from, to, proof, fromRoot, toRoot: root })
      }),
    )
    expect(Buffer.from(tree.root(1)).equals(await leafHash(Buffer.from(lines[0]!)))).toBe(true)
  })

  test('so do those of all trees of up to 70 leaves', async () => {
    const lines = appendEntries(stage, 70)
    const tree = await stage.trees.catchUp(LOG)
    for (let to = 1; to <= 70; to += 1) {
      const [toRoot, others] = [tree.root(to), Array.from({ length: to }, (_, at) => at)]
      const inclusions = others.map((index) => {
        const proof = tree.inclusionProof(index, to)
        return verifyInclusion({
          leaf: Buffer.from(lines[index]!),
          index,
          size: to,
          proof,
          root: toRoot,
        })
      })
      const consistencies = others.map((from) => {
        const [proof, fromRoot] = [tree.consistencyProof(from, to), tree.root(from)]
        return verifyConsistency({ from, to, proof, fromRoot, toRoot })
      })
      await Promise.all([...inclusions, ...consistencies])
    }
  })

  test('askers that come together share the work, and each sees what was there when it asked', async () => {
    const asked = Array.from({ length: 20 }, async () => {
      appendEntries(stage, 1)
      return stage.trees.catchUp(LOG)
    })
    const sizes = (await Promise.all(asked)).map(({ size }) => size)
    expect(Math.min(...sizes)).toBe(20)
  })
})

describe('checkpoints', () => {
  test('sign what there is, once, and tell of each', async () => {
    expect(await stage.trees.checkpoint(LOG)).toBeUndefined()
    appendEntries(stage, 300)
    const first = await stage.trees.checkpoint(LOG)
    expect(await stage.trees.checkpoint(LOG)).toBe(first)
    appendEntries(stage, 1)
    const second = await stage.trees.checkpoint(LOG)
    expect(stage.checkpoints).toEqual([first, second])
    const key = await stage.trees.keyOf(LOG)
    expect(await verifyCheckpoint(second!, key)).toMatchObject({ size: 301 })
    expect(readFileSync(checkpointPath(stage.folder), 'utf8')).toBe(second)
    expect(readFileSync(keyPath(stage.folder), 'utf8')).toBe(`${key}\n`)
    expect(statSync(checkpointPath(stage.folder)).mode & 0o777).toBe(0o600)
  })

  test('every log with news is signed at the end', async () => {
    appendEntries(stage, 5)
    await stage.close()
    expect(stage.checkpoints).toHaveLength(1)
    stages.pop()
    expect(await signedBy(open(stage.dataFolder))).toMatchObject({ size: 5 })
  })

  test('two processes grow one log: the same files, one checkpoint for both', async () => {
    const other = open(stage.dataFolder)
    for (let round = 0; round < 5; round += 1) {
      appendEntries(stage, 100)
      await Promise.all([stage.trees.catchUp(LOG), other.trees.catchUp(LOG)])
      appendEntries(stage, 7)
      const [one, two] = await Promise.all([signedBy(stage), signedBy(other)])
      expect([one.size, two]).toEqual([107 * (round + 1), one])
    }
    await Promise.all([stage.trees.catchUp(LOG), other.trees.catchUp(LOG)])
    expect([stage.index.known(LOG), statSync(leavesPath(stage.folder)).size]).toEqual([
      535,
      535 * LEAF_OCTETS,
    ])
    expect([...stage.damages, ...other.damages]).toEqual([])
  })
})

test('the index waits for a reader, or until there is much to take in', async () => {
  appendEntries(stage, 2048)
  await stage.trees.checkpoint(LOG)
  expect(stage.index.known(LOG)).toBe(0)
  appendEntries(stage, 1)
  await stage.trees.checkpoint(LOG)
  expect(stage.index.known(LOG)).toBe(2049)
  appendEntries(stage, 1)
  await stage.trees.catchUp(LOG)
  expect(stage.index.known(LOG)).toBe(2050)
})

test('N04 leaves that could not be written are, as soon as they can be', async () => {
  appendEntries(stage, 100)
  await stage.trees.checkpoint(LOG)
  appendEntries(stage, 400)
  const [leaves, away] = [leavesPath(stage.folder), join(stage.folder, 'away')]
  renameSync(leaves, away)
  mkdirSync(leaves) // where no octet can be written
  await expect(stage.trees.checkpoint(LOG)).rejects.toThrow()
  rmdirSync(leaves)
  renameSync(away, leaves)
  expect(await signedBy(stage)).toMatchObject({ size: 500 })
  const copy = openCopy(stage.folder)
  expect(await verifyLog(copy)).toMatchObject({ entries: 500, signed: 500, damages: [] })
  copy.close()
})

describe('what is found at the start', () => {
  test('what is kept beyond the checkpoint is made again, whatever a crash left of it', async () => {
    appendEntries(stage, 300)
    await stage.trees.checkpoint(LOG)
    appendEntries(stage, 300)
    await stage.trees.catchUp(LOG)
    const whole = files(KEPT)
    const later = await reopen() // its close has signed the rest: the checkpoint of before is put back
    const checkpoint = stage.checkpoints[0]!
    writeFileSync(checkpointPath(stage.folder), checkpoint)
    truncateSync(leavesPath(stage.folder), 310 * LEAF_OCTETS + 3)
    truncateSync(subtreesPath(stage.folder, 1), 33)
    appendFileSync(leavesPath(stage.folder), Buffer.alloc(4000))
    expect(await signedBy(later)).toMatchObject({ size: 600 })
    expect(files(KEPT)[1]).toBe(whole[1])
    expect(files(KEPT)[0]!.startsWith(whole[0]!)).toBe(true)
    expect(later.damages).toEqual([])
  })

  test('a log of hundreds of thousands of entries opens by a few reads', async () => {
    appendEntries(stage, 3000)
    await stage.trees.checkpoint(LOG)
    const later = await reopen()
    // Leaves no root and no edge needs are not looked at: what is read does not grow with the log.
    writeFileSync(leavesPath(stage.folder), withZeros(leavesPath(stage.folder), 0, 2500))
    appendEntries(stage, 1)
    expect((await later.trees.catchUp(LOG)).size).toBe(3001)
    expect(later.damages).toEqual([])
  })

  test.each([
    ['lost', (path: string) => rmSync(path)],
    ['cut', (path: string) => truncateSync(path, statSync(path).size - 20)],
    ['zeros', (path: string) => writeFileSync(path, Buffer.alloc(statSync(path).size))],
  ])(
    'leaves that are %s are made anew, the entries being those that were signed',
    async (_, harm) => {
      appendEntries(stage, 300)
      await stage.trees.checkpoint(LOG)
      const whole = files(KEPT)
      const later = await reopen()
      harm(leavesPath(stage.folder))
      harm(subtreesPath(stage.folder, 1))
      expect((await later.trees.catchUp(LOG)).size).toBe(300)
      expect([files(KEPT), later.damages]).toEqual([whole, []])
    },
  )

  test('what a killed process did not come to place goes away, a write under way stays', async () => {
    appendEntries(stage, 1)
    const [old, fresh] = ['a', 'b'].map(
      (digit) => `${checkpointPath(stage.folder)}.${digit.repeat(12)}`,
    )
    for (const path of [old!, fresh!]) writeFileSync(path, 'draft')
    utimesSync(old!, 0, 0)
    await stage.trees.catchUp(LOG)
    expect([old, fresh].map((path) => existsSync(path!))).toEqual([false, true])
  })

  test('an index that was removed is fed again; one of another log begins anew', async () => {
    appendEntries(stage, 300)
    await stage.close()
    stages.pop()
    rmSync(indexFolder(stage.dataFolder), { recursive: true })
    const second = open(stage.dataFolder)
    await second.trees.catchUp(LOG)
    expect(second.index.known(LOG)).toBe(300)
    rmSync(stage.folder, { recursive: true })
    const third = await reopen()
    appendEntries(third, 20)
    await third.trees.catchUp(LOG)
    expect(third.index.known(LOG)).toBe(20)
  })
})

function withZeros(path: string, from: number, to: number): Buffer {
  const bytes = readFileSync(path)
  return bytes.fill(0, from * LEAF_OCTETS, to * LEAF_OCTETS)
}

describe('N02 a log that does not fit what was signed', () => {
  const changed = (line: number) => (text: string) => {
    const lines = text.split('\n')
    return lines.with(line, lines[line]!.replace('permit', 'refuse')).join('\n')
  }
  test.each([
    ['is cut', (text: string) => text.slice(0, text.length / 2), /fewer than the 300/],
    ['is emptied', () => '', /fewer than the 300/],
    ['lost an entry', (text: string) => text.slice(text.indexOf('\n') + 1), /first 300/],
    ['has another length', changed(7), undefined],
    ['has another last entry', changed(299), undefined],
  ])('%s is never signed again, recorded on and read on', async (_, change, what) => {
    appendEntries(stage, 300)
    const { trees } = stage
    const signed = await trees.checkpoint(LOG)
    const whole = files(KEPT)
    const later = await reopen()
    writeFileSync(
      entriesPath(stage.folder),
      change(readFileSync(entriesPath(stage.folder), 'utf8')),
    )
    if (what === undefined) truncateSync(leavesPath(stage.folder), 0) // and so the entries are looked at
    appendEntries(stage, 2)
    await expect(later.trees.checkpoint(LOG)).rejects.toThrow('does not fit')
    const tree = await later.trees.catchUp(LOG)
    const [last] = await tree.readLines(tree.size - 1, tree.size)
    expect(Buffer.from(last!).toString()).toMatch(/^\{"time":/)
    expect(later.index.known(LOG)).toBe(tree.size)
    expect(later.damages).toEqual([
      expect.stringMatching(what ?? /first 300 entries are not those that were signed/),
    ])
    if (what !== undefined) expect(files(KEPT)).toEqual(whole) // the evidence
    expect(readFileSync(checkpointPath(stage.folder), 'utf8')).toBe(signed)
  })

  test('is signed again when its entries are put back', async () => {
    appendEntries(stage, 300)
    await stage.trees.checkpoint(LOG)
    const entries = readFileSync(entriesPath(stage.folder))
    const second = await reopen()
    truncateSync(entriesPath(stage.folder), 1000)
    await second.trees.catchUp(LOG)
    expect(second.damages).toHaveLength(1)
    const third = await reopen()
    writeFileSync(entriesPath(stage.folder), entries)
    appendEntries(stage, 1)
    expect(await signedBy(third)).toMatchObject({ size: 301 })
    await third.trees.catchUp(LOG)
    expect([third.damages, third.index.known(LOG)]).toEqual([[], 301])
    expect(existsSync(damagedFolder(stage.folder))).toBe(false)
  })

  test('is noticed while it happens, what was not signed yet too', async () => {
    appendEntries(stage, 300)
    await stage.trees.checkpoint(LOG)
    appendEntries(stage, 5)
    await stage.trees.catchUp(LOG)
    const text = readFileSync(entriesPath(stage.folder), 'utf8')
    writeFileSync(entriesPath(stage.folder), text.split('\n').slice(0, 303).join('\n'))
    await expect(stage.trees.checkpoint(LOG)).rejects.toThrow('does not fit')
    expect(stage.damages).toEqual([expect.stringMatching('fewer than the 305 entries')])
  })

  test('has a checkpoint of another key, or one with more than this one', async () => {
    appendEntries(stage, 10)
    const checkpoint = await stage.trees.checkpoint(LOG)
    const elsewhere = stageLog(mkdtempSync(join(tmpdir(), 'actchain-tree-')))
    appendEntries(elsewhere, 20)
    await elsewhere.trees.checkpoint(LOG)
    const second = await reopen()
    copyFileSync(checkpointPath(elsewhere.folder), checkpointPath(stage.folder))
    await expect(second.trees.checkpoint(LOG)).rejects.toThrow('does not fit')
    const third = await reopen()
    writeFileSync(checkpointPath(stage.folder), checkpoint!.replace('\n10\n', '\n11\n'))
    await expect(third.trees.checkpoint(LOG)).rejects.toThrow('does not fit')
    expect([second.damages, third.damages]).toEqual([
      [expect.stringMatching('fewer than the 20')],
      [expect.stringMatching('not one that the log key signed')],
    ])
    await elsewhere.close()
    rmSync(elsewhere.dataFolder, { recursive: true })
  })

  test('is held to the checkpoint that others signed, where its own is gone', async () => {
    appendEntries(stage, 10)
    const checkpoint = await stage.trees.checkpoint(LOG)
    const later = await reopen()
    writeFileSync(witnessedPath(stage.folder), checkpoint!)
    rmSync(checkpointPath(stage.folder))
    truncateSync(entriesPath(stage.folder), 0)
    appendEntries(stage, 10)
    await expect(later.trees.checkpoint(LOG)).rejects.toThrow('does not fit')
  })
})
