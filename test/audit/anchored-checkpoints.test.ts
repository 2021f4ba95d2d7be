/** Files of checkpoints: those an anchor keeps, and the newest with the signatures of others. */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { formatSignature, parseNote } from '../../lib/src/audit/index.ts'
import {
  anchorPath,
  appendAnchored,
  keepCosignatures,
  newestNote,
  readAnchored,
} from '../../server/audit/anchored-checkpoints.ts'
import { logFolder, witnessedPath } from '../../server/audit/log-paths.ts'
import { createFileAnchor } from '../../server/use-cases/append-checkpoint.ts'
import type { AnchorAnswer } from '../../server/use-cases/checkpoint-anchor.ts'
import { rootOf } from '../support/naive-tree.ts'
import { aCheckpoint, aSigner, type Signer } from '../support/proven-log.ts'
import { leavesOf, ORIGIN } from '../support/witnessed-log.ts'

let folder: string
let log: Signer
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'actchain-anchor-'))
  log = await aSigner(ORIGIN)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const noteOf = async (size: number): Promise<string> => aCheckpoint(leavesOf(size), [log], ORIGIN)

describe('an anchor that is a folder', () => {
  const place = (): string => join(folder, 'deep', 'anchor')
  const file = (): string => anchorPath(place(), 'acme')

  test('has a file for each log, nobody else may read it, and notes one after the other', async () => {
    const [three, five] = [await noteOf(3), await noteOf(5)]
    await appendAnchored(place(), 'acme', three)
    await appendAnchored(place(), 'acme', five)
    await appendAnchored(place(), '_platform', three)
    expect(readFileSync(file(), 'utf8')).toBe(`${three}\n${five}\n`)
    expect(statSync(place()).mode & 0o777).toBe(0o700)
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(await readAnchored(place(), 'acme')).toBe(five)
    expect(await readAnchored(place(), '_platform')).toBe(three)
    expect(await readAnchored(place(), 'globex')).toBeUndefined()
  })

  test('a crash in the middle of a line hides no other', async () => {
    const [three, five, eight] = [await noteOf(3), await noteOf(5), await noteOf(8)]
    await appendAnchored(place(), 'acme', three)
    for (const cut of [1, 10, 40, three.length - 2, three.length]) {
      writeFileSync(file(), `${three}\n`)
      appendFileSync(file(), five.slice(0, cut))
      expect(await readAnchored(place(), 'acme')).toBe(cut === five.length ? five : three)
      await appendAnchored(place(), 'acme', eight)
      expect(await readAnchored(place(), 'acme')).toBe(eight)
      expect(readFileSync(file(), 'utf8').endsWith(`\n\n${eight}\n`)).toBe(true)
    }
  })

  test('the one of the most leaves counts: processes append in any order', async () => {
    const notes = await Promise.all([5, 9, 7].map(noteOf))
    expect(newestNote(notes.map((note) => `${note}\n`).join(''))).toBe(notes[1])
    expect(newestNote('no note at all\n\n\u2014 nor this\n\n')).toBeUndefined()
  })

  test('of a long file the end is read', async () => {
    mkdirSync(place(), { recursive: true })
    writeFileSync(file(), `${await noteOf(3)}\n`.repeat(1000))
    await appendAnchored(place(), 'acme', await noteOf(5))
    expect(await readAnchored(place(), 'acme')).toBe(await noteOf(5))
  })
})

describe('what the log has to fit', () => {
  const offer = async (
    leaves: readonly Uint8Array[],
    newest = leaves.length,
  ): Promise<AnchorAnswer> => {
    const anchor = createFileAnchor({
      folder,
      newestKept: async (name) => readAnchored(folder, name),
      append: async (name, note) => appendAnchored(folder, name, note),
      rootOf: async (_, size) => rootOf(leaves.slice(0, size)),
    })
    const note = await aCheckpoint(leaves, [log], ORIGIN)
    return anchor.offer({ log: 'acme', note, size: leaves.length, newestSize: async () => newest })
  }
  const kept = (): string => readFileSync(anchorPath(folder, 'acme'), 'utf8')

  test('a log that goes on', async () => {
    for (const size of [3, 4, 9]) expect(await offer(leavesOf(size))).toEqual({ kind: 'kept' })
    expect(await readAnchored(folder, 'acme')).toBe(await noteOf(9))
  })

  test('a checkpoint that is there already is not written twice', async () => {
    await offer(leavesOf(3))
    const before = kept()
    expect(await offer(leavesOf(3))).toEqual({ kind: 'kept' })
    expect(kept()).toBe(before)
  })

  test('N02 a cut tail and another history are seen, and nothing is added', async () => {
    await offer(leavesOf(9))
    const before = kept()
    expect(await offer(leavesOf(6))).toEqual({ kind: 'conflict', why: 'anchor_is_ahead' })
    const rewritten = { kind: 'conflict', why: 'not_consistent' }
    expect(await offer(leavesOf(9, { same: 8 }))).toEqual(rewritten)
    expect(await offer(leavesOf(12, { same: 8 }))).toEqual(rewritten)
    expect(await offer(leavesOf(6), 9)).toEqual({ kind: 'overtaken' })
    expect(kept()).toBe(before)
  })

  test('a folder that cannot be written is an anchor that is away', async () => {
    writeFileSync(join(folder, 'file'), '')
    folder = join(folder, 'file')
    expect(await offer(leavesOf(3))).toEqual({ kind: 'failed', why: 'ENOTDIR' })
    folder = join(folder, '..')
  })
})

describe('cosignatures', () => {
  let witness: Signer
  let other: Signer
  beforeEach(async () => {
    mkdirSync(logFolder(folder, 'acme'), { recursive: true })
    witness = await aSigner('one.example/witness', 'cosignature/v1')
    other = await aSigner('other.example/witness', 'cosignature/v1')
  })
  const keep = async (size: number, signer: Signer, time: number): Promise<void> => {
    const note = await noteOf(size)
    const line = formatSignature(await signer.sign(parseNote(note).text, time))
    await keepCosignatures({ dataFolder: folder, log: 'acme' }, note, [line])
  }
  const witnessed = (): string => readFileSync(witnessedPath(logFolder(folder, 'acme')), 'utf8')
  const names = (): readonly string[] => parseNote(witnessed()).signatures.map(({ name }) => name)

  test('stand below the log’s own, one of each witness, the later one', async () => {
    await keep(3, witness, 1)
    await keep(3, other, 2)
    expect(witnessed().startsWith(await noteOf(3))).toBe(true)
    expect(names()).toEqual([ORIGIN, 'one.example/witness', 'other.example/witness'])
    await keep(3, witness, 5)
    expect(names()).toEqual([ORIGIN, 'other.example/witness', 'one.example/witness'])
  })

  test('are of the newest checkpoint that has any', async () => {
    await keep(3, witness, 1)
    await keep(5, other, 2)
    expect(names()).toEqual([ORIGIN, 'other.example/witness'])
    await keep(3, witness, 3)
    expect(parseNote(witnessed()).text).toBe(parseNote(await noteOf(5)).text)
  })

  test('a damaged file of them is made anew', async () => {
    writeFileSync(witnessedPath(logFolder(folder, 'acme')), 'nothing')
    await keep(3, witness, 1)
    expect(names()).toEqual([ORIGIN, 'one.example/witness'])
  })
})
