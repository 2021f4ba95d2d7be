/** Asking a witness (C2SP tlog-witness) over real sockets: one that is honest, and whatever else may answer. */
import { mkdtempSync, rmSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { formatNote, parseNote, parseVkey, verifyCosignature } from '../../lib/src/audit/index.ts'
import { createTextSender } from '../../server/fetch/text-sender.ts'
import { createWitnessDoor } from '../../server/http/witness.ts'
import { createWitnessAnchor } from '../../server/use-cases/ask-witness.ts'
import type {
  AnchorAnswer,
  CheckpointAnchor,
  OfferedCheckpoint,
} from '../../server/use-cases/checkpoint-anchor.ts'
import { type JsonServer, startHttp } from '../fetch/json-server.ts'
import { NOW } from '../store/records.ts'
import { openEmbeddedStore, type RecordedStore } from '../support/embedded-store.ts'
import { consistencyProof } from '../support/naive-tree.ts'
import { aCheckpoint, aSigner, type Signer } from '../support/proven-log.ts'
import {
  leavesOf,
  ORIGIN,
  stageWitness,
  WITNESS,
  type WitnessStage,
} from '../support/witnessed-log.ts'

let log: Signer
const servers: JsonServer[] = []
beforeEach(async () => {
  log = await aSigner(ORIGIN)
})
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

async function listen(listener: RequestListener): Promise<JsonServer> {
  const server = await startHttp(listener)
  servers.push(server)
  return server
}

/** @param leaves of the log as its server has it now */
async function anchorAt(
  origin: string,
  vkey: string,
  leaves: () => readonly Uint8Array[] = () => leavesOf(100),
): Promise<CheckpointAnchor> {
  const send = createTextSender(
    { loopbackOrigins: new Set([origin]), deadline: () => AbortSignal.timeout(1000) },
    new AbortController().signal,
  )
  return createWitnessAnchor({
    url: `${origin}/witness/v1`,
    vkey,
    key: await parseVkey(vkey),
    post: async (url, text, authorization) => send({ url, text, authorization }),
    proveConsistency: async (_, from, to) => consistencyProof(from, leaves().slice(0, to)),
  })
}

async function offered(
  leaves: readonly Uint8Array[],
  newest = leaves.length,
): Promise<OfferedCheckpoint> {
  const note = await aCheckpoint(leaves, [log], ORIGIN)
  return { log: 'acme', note, size: leaves.length, newestSize: async () => newest }
}

describe('an honest witness', () => {
  let dataFolder: string
  let store: RecordedStore
  let stage: WitnessStage
  let server: JsonServer
  beforeEach(async () => {
    dataFolder = mkdtempSync(join(tmpdir(), 'actchain-witness-'))
    store = await openEmbeddedStore({ dataFolder, clock: { now: () => NOW } })
    stage = await stageWitness(store.witnessed, { dataFolder, vkey: log.vkey })
    server = await listen(
      createWitnessDoor({
        answer: async (body) => stage.witness.answer(body),
        vkey: stage.vkey,
        cosignedOf: () => undefined,
        peers: { isOver: () => false, countFailure: () => {} },
        onFault: (fault) => {
          throw fault
        },
      }),
    )
  })
  afterEach(async () => {
    await store.close()
    rmSync(dataFolder, { recursive: true, force: true })
  })

  test('cosigns one checkpoint after the other, each with one request', async () => {
    const anchor = await anchorAt(server.origin, stage.vkey)
    for (const [at, size] of [3, 4, 64, 65].entries()) {
      const checkpoint = await offered(leavesOf(size))
      const answer = await anchor.offer(checkpoint)
      if (answer.kind !== 'kept') throw new Error(JSON.stringify(answer))
      const cosigned = `${checkpoint.note}${answer.cosignature}\n`
      expect(await verifyCosignature(cosigned, stage.vkey)).toEqual({ name: WITNESS, time: NOW })
      expect(server.requests()).toBe(at + 1)
    }
  })

  test('after a start says itself what it cosigned last', async () => {
    await (await anchorAt(server.origin, stage.vkey)).offer(await offered(leavesOf(7)))
    const again = await anchorAt(server.origin, stage.vkey)
    expect(await again.offer(await offered(leavesOf(9)))).toMatchObject({ kind: 'kept' })
    expect(server.requests()).toBe(3)
  })

  test('N02 does not cosign a log that was cut, and that is told', async () => {
    const anchor = await anchorAt(server.origin, stage.vkey)
    await anchor.offer(await offered(leavesOf(9)))
    const conflict = { kind: 'conflict', why: 'anchor_is_ahead' }
    expect(await anchor.offer(await offered(leavesOf(5)))).toEqual(conflict)
    const later = await anchorAt(server.origin, stage.vkey)
    expect(await later.offer(await offered(leavesOf(5)))).toEqual(conflict)
    // Another process of the same log was there first: no fault of anybody's.
    expect(await later.offer(await offered(leavesOf(5), 9))).toEqual({ kind: 'overtaken' })
  })

  test('N02 does not cosign a log that was rewritten, longer or as long as before', async () => {
    const anchor = await anchorAt(server.origin, stage.vkey)
    await anchor.offer(await offered(leavesOf(9)))
    const conflict = { kind: 'conflict', why: 'not_consistent' }
    for (const size of [9, 12]) {
      const rewritten = leavesOf(size, { same: 4 })
      const forked = await anchorAt(server.origin, stage.vkey, () => rewritten)
      expect(await forked.offer(await offered(rewritten))).toEqual(conflict)
      expect(stage.entries.at(-1)?.changes?.[1]).toContain(`offered: ${size} `)
    }
    expect(store.witnessed.find(ORIGIN)?.size).toBe(9)
    expect(await anchor.offer(await offered(leavesOf(12)))).toMatchObject({ kind: 'kept' })
  })

  test('does not know every log, nor every key', async () => {
    const other = await aSigner('other.example/t/globex/audit')
    const anchor = await anchorAt(server.origin, stage.vkey)
    const note = await aCheckpoint(leavesOf(3), [other], 'other.example/t/globex/audit')
    const unknown = { ...(await offered(leavesOf(3))), note }
    expect(await anchor.offer(unknown)).toEqual({ kind: 'refused', why: 'log_unknown' })
    log = await aSigner(ORIGIN)
    const answer = await anchor.offer(await offered(leavesOf(3)))
    expect(answer).toEqual({ kind: 'refused', why: 'key_unknown' })
  })
})

describe('a hostile witness', () => {
  const refused = (why: string): AnchorAnswer => ({ kind: 'refused', why })
  const failed = (why: string): AnchorAnswer => ({ kind: 'failed', why })
  const say =
    (status: number, text: string, type = 'text/plain'): RequestListener =>
    (_, response) =>
      void response.writeHead(status, { 'content-type': type }).end(text)

  async function answerOf(listener: RequestListener, vkey?: string): Promise<AnchorAnswer> {
    const { origin } = await listen(listener)
    const witness = await aSigner(WITNESS, 'cosignature/v1')
    const anchor = await anchorAt(origin, vkey ?? witness.vkey)
    return anchor.offer(await offered(leavesOf(5)))
  }

  /** A 200 with lines made of the checkpoint's text. */
  async function cosigning(
    witness: Signer,
    lines: (text: string) => Promise<string>,
  ): Promise<AnchorAnswer> {
    const { note } = await offered(leavesOf(5))
    return answerOf(say(200, await lines(parseNote(note).text)), witness.vkey)
  }

  const lineOf = async (signer: Signer, text: string): Promise<string> => {
    const signatures = [await signer.sign(text)]
    return formatNote({ text, signatures }).slice(text.length + 1)
  }

  test('keeps only the line of the configured key', async () => {
    const witness = await aSigner(WITNESS, 'cosignature/v1')
    const stranger = await aSigner('stranger.example', 'cosignature/v1')
    const answer = await cosigning(
      witness,
      async (text) => `${await lineOf(stranger, text)}${await lineOf(witness, text)}`,
    )
    const { note } = await offered(leavesOf(5))
    const own = await lineOf(witness, parseNote(note).text)
    expect(answer).toEqual({ kind: 'kept', cosignature: own.trimEnd() })
  })

  test('another key, another text, no cosignature, twice the same: nothing is kept', async () => {
    const witness = await aSigner(WITNESS, 'cosignature/v1')
    const impostor = await aSigner(WITNESS, 'cosignature/v1')
    const invalid = refused('cosignature_invalid')
    const other = parseNote(await aCheckpoint(leavesOf(6), [log], ORIGIN)).text
    const elsewhere = parseNote(await aCheckpoint(leavesOf(5), [log], 'x.example')).text
    const lines: ((text: string) => Promise<string>)[] = [
      async (text) => lineOf(impostor, text),
      async () => lineOf(witness, other),
      async () => lineOf(witness, elsewhere),
      async () => '',
      async () => '\u2014 x ****\n',
      async () => `\u2014 ${WITNESS} AAAA\n`,
      async (text) => (await lineOf(witness, text)).trimEnd(),
      async (text) => (await lineOf(witness, text)).repeat(2),
      async (text) => `\n\n${await lineOf(witness, text)}`,
      async (text) => `${await lineOf(log, text)}${await lineOf(witness, text)}`,
    ]
    for (const [at, made] of lines.entries()) {
      expect([at, await cosigning(witness, made)]).toEqual([at, invalid])
    }
  })

  test.each([
    ['a size that is none', say(409, 'x\n', 'text/x.tlog.size'), refused('answer_malformed')],
    ['a size of another type', say(409, '0\n'), refused('answer_malformed')],
    ['a size with zeros', say(409, '01\n', 'text/x.tlog.size'), refused('answer_malformed')],
    [
      'the size it was asked with',
      say(409, '0\n', 'text/x.tlog.size'),
      refused('answer_malformed'),
    ],
    ['another size each time', say(409, '3\n', 'text/x.tlog.size'), { kind: 'overtaken' }],
    ['too much', say(200, 'x'.repeat(100_000)), failed('too_large')],
    [
      'a redirect',
      ((_, response) => void response.writeHead(307, { location: '/' }).end()) as RequestListener,
      failed('status_307'),
    ],
    ['nothing', (() => {}) as RequestListener, failed('timeout')],
    ['that it is full', say(503, ''), failed('status_503')],
    ['that it was too often', say(429, ''), failed('status_429')],
    ['that it takes no such thing', say(400, ''), refused('status_400')],
  ] as const)('says %s', async (_, listener, expected) => {
    expect(await answerOf(listener)).toEqual(expected)
  })
})
