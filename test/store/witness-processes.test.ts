/** A witness of several processes, and one that is killed: what left it is what it remembers (C2SP tlog-witness). */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseNote, verifyCheckpoint } from '../../lib/src/audit/index.ts'
import type { WitnessAnswer } from '../../server/use-cases/witness-checkpoint.ts'
import { openEmbeddedStore } from '../support/embedded-store.ts'
import { aSigner, type Signer, utf8 } from '../support/proven-log.ts'
import { aRequest, leavesOf, ORIGIN } from '../support/witnessed-log.ts'
import { NOW } from './records.ts'
import type { WitnessOrder } from './witness-worker.ts'

let dataFolder: string
let log: Signer
const children: ChildProcess[] = []
beforeEach(async () => {
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-witness-'))
  log = await aSigner(ORIGIN)
})
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child)
  rmSync(dataFolder, { recursive: true, force: true })
})

async function startWorker(): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'witness-worker.ts'), [dataFolder], {
    execArgv: ['--conditions=actchain:source'],
  })
  children.push(child)
  await once(child, 'message')
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/** Requests that take the log from `old` leaves to `old + count`, one leaf each. */
async function requestsFrom(old: number, count: number): Promise<readonly string[]> {
  return Promise.all(
    Array.from({ length: count }, (_, at) =>
      aRequest({ old: old + at, leaves: leavesOf(old + at + 1), signers: [log] }),
    ),
  )
}

async function ask(child: ChildProcess, request: string): Promise<WitnessAnswer> {
  const answer = once(child, 'message')
  child.send({ vkey: log.vkey, requests: [request] } satisfies WitnessOrder)
  const [message] = (await answer) as [WitnessAnswer]
  return message
}

test('killed at any moment, it has kept all it cosigned', async () => {
  let acknowledged = 0
  for (let kills = 0; kills < 3; kills += 1) {
    const worker = await startWorker()
    const requests = await requestsFrom(acknowledged, 40)
    const enough = Promise.withResolvers<void>()
    let left = 1 + Math.floor(Math.random() * 30) // where in its work it dies
    worker.on('message', ({ kind }: WitnessAnswer) => {
      if (kind === 'cosigned') acknowledged += 1
      left -= 1
      if (left === 0) enough.resolve()
    })
    worker.send({ vkey: log.vkey, requests } satisfies WitnessOrder)
    await enough.promise
    await kill(worker)
    const store = await openEmbeddedStore({ dataFolder, clock: { now: () => NOW } })
    const kept = store.witnessed.find(ORIGIN)
    await store.close()
    expect(kept?.size).toBeGreaterThanOrEqual(acknowledged)
    expect(await verifyCheckpoint(kept?.note ?? '', log.vkey)).toMatchObject({ size: kept?.size })
    expect(parseNote(kept?.note ?? '').signatures).toHaveLength(2)
    acknowledged = kept?.size ?? 0
  }
  expect(acknowledged).toBeGreaterThan(2)
}, 60_000) // three processes, one after another

test('N02 two processes never cosign two histories', async () => {
  const workers = await Promise.all([startWorker(), startWorker()])
  let leaves: readonly Uint8Array[] = []
  for (let round = 0; round < 10; round += 1) {
    const futures = ['b', 'c'].map((history) => [...leaves, utf8(`${history}-${round}`)])
    const answers = await Promise.all(
      workers.map(async (worker, at) =>
        ask(
          worker,
          await aRequest({ old: leaves.length, leaves: futures[at] ?? [], signers: [log] }),
        ),
      ),
    )
    expect(answers.filter(({ kind }) => kind === 'cosigned')).toHaveLength(1)
    leaves = futures[answers.findIndex(({ kind }) => kind === 'cosigned')] ?? []
  }
}, 60_000) // two processes
