/** What a witness cosigns and what it refuses (C2SP tlog-witness), over the store that remembers it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseNote, verifyCheckpoint, verifyCosignature } from '../../lib/src/audit/index.ts'
import type { WitnessAnswer } from '../../server/use-cases/witness-checkpoint.ts'
import { NOW } from '../store/records.ts'
import { openEmbeddedStore, type RecordedStore } from '../support/embedded-store.ts'
import { consistencyProof, rootOf } from '../support/naive-tree.ts'
import { aCheckpoint, aSigner, base64, type Signer, utf8 } from '../support/proven-log.ts'
import {
  aRequest,
  leavesOf,
  ORIGIN,
  stageWitness,
  WITNESS,
  type WitnessStage,
} from '../support/witnessed-log.ts'

let dataFolder: string
let store: RecordedStore
let log: Signer
let stage: WitnessStage
beforeEach(async () => {
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-witness-'))
  store = await openEmbeddedStore({ dataFolder, clock: { now: () => NOW } })
  log = await aSigner(ORIGIN)
  stage = await stageWitness(store.witnessed, { dataFolder, vkey: log.vkey })
})
afterEach(async () => {
  await store.close()
  rmSync(dataFolder, { recursive: true, force: true })
})

async function add(
  old: number,
  leaves: readonly Uint8Array[],
  signers = [log],
): Promise<WitnessAnswer> {
  return stage.witness.answer(await aRequest({ old, leaves, signers }))
}

/** Cosigns so many leaves, from nothing. */
async function cosigned(size: number): Promise<void> {
  expect(await add(0, leavesOf(size))).toMatchObject({ kind: 'cosigned' })
}

test('the first checkpoint of a log, and each that goes on from the last', async () => {
  for (const [old, size] of [
    [0, 3],
    [3, 4],
    [4, 200],
    [200, 256],
    [256, 1000],
  ] as const) {
    const answer = await add(old, leavesOf(size))
    if (answer.kind !== 'cosigned') throw new Error(answer.kind)
    const note = `${await aCheckpoint(leavesOf(size), [log], ORIGIN)}${answer.line}\n`
    expect(await verifyCosignature(note, stage.vkey)).toEqual({ name: WITNESS, time: NOW })
    const kept = store.witnessed.find(ORIGIN)?.note ?? ''
    expect(kept).toBe(note)
    expect(await verifyCheckpoint(kept, log.vkey)).toMatchObject({ size })
  }
  expect(stage.entries).toEqual([])
})

test('the same checkpoint again is cosigned again', async () => {
  await cosigned(5)
  const before = store.witnessed.find(ORIGIN)
  expect(await add(5, leavesOf(5))).toMatchObject({ kind: 'cosigned' })
  expect(store.witnessed.find(ORIGIN)).toEqual(before)
})

test('a log without entries, before it has any', async () => {
  expect(await add(0, [])).toMatchObject({ kind: 'cosigned' })
  expect(await add(0, leavesOf(3))).toMatchObject({ kind: 'cosigned' })
})

test('signature lines of others neither help nor get into what is kept', async () => {
  const stranger = await aSigner('stranger.example')
  expect(await add(0, leavesOf(3), [stranger, log])).toMatchObject({ kind: 'cosigned' })
  const { signatures } = parseNote(store.witnessed.find(ORIGIN)?.note ?? '')
  expect(signatures.map(({ name }) => name)).toEqual([ORIGIN, WITNESS])
})

describe('refused', () => {
  test('a log that is not watched', async () => {
    const request = await aRequest({
      old: 0,
      leaves: leavesOf(3),
      signers: [await aSigner('x.example')],
      origin: 'x.example',
    })
    expect(await stage.witness.answer(request)).toEqual({ kind: 'log_unknown' })
  })

  test('another key under the name of a log', async () => {
    expect(await add(0, leavesOf(3), [await aSigner(ORIGIN)])).toEqual({ kind: 'key_unknown' })
  })

  test("a signature of the log's key over another text", async () => {
    const honest = await aCheckpoint(leavesOf(3), [log], ORIGIN)
    const forged = honest.replace(base64(rootOf(leavesOf(3))), base64(rootOf(leavesOf(4))))
    expect(await stage.witness.answer(`old 0\n\n${forged}`)).toEqual({ kind: 'key_unknown' })
  })

  test('an old size that is not the last: the last is told', async () => {
    await cosigned(5)
    expect(await add(0, leavesOf(9))).toEqual({ kind: 'outdated', size: 5 })
    expect(await add(4, leavesOf(9))).toEqual({ kind: 'outdated', size: 5 })
    expect(await add(7, leavesOf(9))).toEqual({ kind: 'outdated', size: 5 })
    expect(stage.entries).toEqual([])
  })

  test('an old size above the checkpoint', async () => {
    await cosigned(5)
    expect(await add(5, leavesOf(4))).toEqual({ kind: 'malformed' })
  })

  test.each([
    ['nothing', ''],
    ['no old size', '\nx\n'],
    ['a leading zero', 'old 03\n\nNOTE'],
    ['a size no number can be', 'old 9999999999999999\n\nNOTE'],
    ['a hash that is short', 'old 0\nAAAA\n\nNOTE'],
    ['a hash of another spelling', `old 0\n${'A'.repeat(42)}B=\n\nNOTE`],
    ['64 hashes', `old 0\n${`${'A'.repeat(43)}=\n`.repeat(64)}\nNOTE`],
    ['no empty line', 'old 0\nNOTE'],
    ['no note', 'old 0\n\nnothing\n'],
    ['carriage returns', 'old 0\r\n\r\nNOTE'],
  ])('what is no request: %s', async (_, form) => {
    const note = await aCheckpoint(leavesOf(3), [log], ORIGIN)
    expect(await stage.witness.answer(form.replace('NOTE', note))).toEqual({ kind: 'malformed' })
    expect(store.witnessed.find(ORIGIN)).toBeUndefined()
  })
})

describe('N02 a log that was cut, forked or rewritten', () => {
  test('is refused, and on record once with what proves it', async () => {
    await cosigned(8)
    const kept = store.witnessed.find(ORIGIN)
    const fork = leavesOf(12, { same: 7 })
    expect(await add(8, fork)).toEqual({ kind: 'inconsistent' })
    expect(await add(8, fork)).toEqual({ kind: 'inconsistent' })
    expect(store.witnessed.find(ORIGIN)).toEqual(kept)
    expect(stage.conflicts).toEqual([ORIGIN])
    expect(stage.entries).toEqual([
      {
        time: NOW,
        ref: 'ref-1',
        tenant: '_platform',
        tenant_version: '',
        event: 'audit',
        outcome: 'refuse',
        guard: 'checkpoint_inconsistent',
        action: 'witness_checkpoint',
        author: `log:${ORIGIN}`,
        changes: [
          `cosigned: 8 ${kept?.root}`,
          `offered: 12 ${base64(rootOf(fork))}`,
          (await aCheckpoint(fork, [log], ORIGIN)).split('\n').at(-2),
        ],
      },
    ])
  })

  test('of the same size is seen whatever old size it states', async () => {
    await cosigned(8)
    expect(await add(8, leavesOf(8, { same: 3 }))).toEqual({ kind: 'inconsistent' })
    expect(await add(0, leavesOf(8, { same: 4 }))).toEqual({ kind: 'outdated', size: 8 })
    expect(stage.entries).toHaveLength(2)
  })

  test('cannot begin again from nothing', async () => {
    await cosigned(8)
    expect(await add(0, leavesOf(3))).toEqual({ kind: 'outdated', size: 8 })
  })

  test('a proof for other sizes, cut, too long, or where none is asked for', async () => {
    const note = await aCheckpoint(leavesOf(9), [log], ORIGIN)
    const lines = consistencyProof(5, leavesOf(9)).map((hash) => `${base64(hash)}\n`)
    const request = (old: number, proof: readonly string[]) =>
      stage.witness.answer(`old ${old}\n${proof.join('')}\n${note}`)
    expect(await request(0, lines)).toEqual({ kind: 'inconsistent' })
    await cosigned(5)
    expect(await request(5, lines.slice(1))).toEqual({ kind: 'inconsistent' })
    expect(await request(5, [...lines, ...lines])).toEqual({ kind: 'inconsistent' })
    expect(await request(5, [])).toEqual({ kind: 'inconsistent' })
    expect(await request(5, lines)).toMatchObject({ kind: 'cosigned' })
  })

  test('one log does not stand for another', async () => {
    const request = await aRequest({
      old: 0,
      leaves: leavesOf(3),
      signers: [log],
      origin: 'other.example/t/globex/audit',
    })
    expect(await stage.witness.answer(request)).toEqual({ kind: 'log_unknown' })
  })
})

test('of checkpoints that are offered at once exactly one is the next', async () => {
  await cosigned(4)
  const offers = [6, 7, 8, 9].map((size) => add(4, leavesOf(size)))
  const answers = await Promise.all(offers)
  const won = answers.flatMap((answer, at) => (answer.kind === 'cosigned' ? [6 + at] : []))
  expect(won).toHaveLength(1)
  const size = won[0] ?? 0
  expect(store.witnessed.find(ORIGIN)?.size).toBe(size)
  expect(answers.filter(({ kind }) => kind === 'outdated')).toEqual(
    Array.from({ length: 3 }, () => ({ kind: 'outdated', size })),
  )
})

test('what cannot be kept is not cosigned', async () => {
  const full = { find: () => undefined, advance: async () => Promise.reject(new Error('disk')) }
  const failing = await stageWitness(full, { dataFolder, vkey: log.vkey })
  const request = await aRequest({ old: 0, leaves: leavesOf(3), signers: [log] })
  await expect(failing.witness.answer(request)).rejects.toThrow('disk')
})

test('lines beyond the third are cosigned as they stand', async () => {
  const text = `${ORIGIN}\n3\n${base64(rootOf(leavesOf(3)))}\nanother line \u2014 of the log\n`
  const { name, keyId, signature } = await log.sign(text)
  const line = `\u2014 ${name} ${Buffer.concat([Buffer.from(keyId, 'hex'), signature]).toString('base64')}\n`
  const answer = await stage.witness.answer(`old 0\n\n${text}\n${line}`)
  if (answer.kind !== 'cosigned') throw new Error(answer.kind)
  const cosignature = await verifyCosignature(`${text}\n${line}${answer.line}\n`, stage.vkey)
  expect(cosignature.name).toBe(WITNESS)
  expect(utf8(answer.line).length).toBeLessThan(300)
})
