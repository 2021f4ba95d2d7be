/** Rounds of checkpoints to anchors: the newest alone, to each that has not got it, and nothing waits for one that is away. */
import { beforeEach, expect, test } from 'vitest'
import { AnchorRounds, type ToldAnswer } from '../../server/use-cases/anchor-checkpoints.ts'
import type {
  AnchorAnswer,
  CheckpointAnchor,
  OfferedCheckpoint,
} from '../../server/use-cases/checkpoint-anchor.ts'
import { NOW } from '../store/records.ts'

interface FakeAnchor extends CheckpointAnchor {
  readonly offers: string[]
  says: (checkpoint: OfferedCheckpoint) => AnchorAnswer
}

let now: number
/** Sizes of the logs. */
let logs: Map<string, number>
let told: (ToldAnswer & { readonly log: string })[]
let cosigned: string[]
let faults: unknown[]
beforeEach(() => {
  now = NOW
  logs = new Map([
    ['_platform', 1],
    ['acme', 1],
    ['globex', 1],
  ])
  told = []
  cosigned = []
  faults = []
})

function anAnchor(says: FakeAnchor['says'] = () => ({ kind: 'kept' })): FakeAnchor {
  const anchor: FakeAnchor = {
    name: 'an anchor',
    offers: [],
    says,
    offer: async (checkpoint) => {
      anchor.offers.push(`${checkpoint.log} ${checkpoint.size}`)
      return anchor.says(checkpoint)
    },
  }
  return anchor
}

function roundsOf(...anchors: readonly CheckpointAnchor[]): AnchorRounds {
  return new AnchorRounds({
    clock: { now: () => now },
    anchors,
    every: 60,
    logs: () => [...logs.keys()],
    newest: async (log) => {
      const size = logs.get(log)
      if (size === undefined || size === 0) return undefined
      return { log, note: `${log} ${size}`, size, newestSize: async () => size }
    },
    keepCosignatures: async ({ note }, lines) => {
      cosigned.push(`${note}: ${lines.join(' ')}`)
    },
    onAnswer: (_, log, answer) => told.push({ log, ...answer }),
    onFault: (fault) => faults.push(fault),
  })
}

/** Offers of a round, `every` seconds after the last one. */
async function next(rounds: AnchorRounds, { offers }: FakeAnchor): Promise<readonly string[]> {
  offers.length = 0
  await rounds.run()
  now += 60
  return [...offers]
}

test('each log goes out once, and again when it has grown', async () => {
  const anchor = anAnchor()
  const rounds = roundsOf(anchor)
  logs.set('empty', 0)
  expect(await next(rounds, anchor)).toEqual(['_platform 1', 'acme 1', 'globex 1'])
  expect(await next(rounds, anchor)).toEqual([])
  logs.set('acme', 5)
  expect(await next(rounds, anchor)).toEqual(['acme 5'])
})

test('an anchor that was away gets what is newest then, and not what was in between', async () => {
  const anchor = anAnchor(() => ({ kind: 'failed', why: 'unreachable' }))
  const rounds = roundsOf(anchor)
  for (let size = 2; size < 10; size += 1) {
    logs.set('acme', size)
    await next(rounds, anchor)
  }
  anchor.says = () => ({ kind: 'kept' })
  now += 300
  const offers = await next(rounds, anchor)
  expect(offers.toSorted()).toEqual(['_platform 1', 'acme 9', 'globex 1'])
})

test('one that is away is asked ever more rarely, with one log at a time', async () => {
  const anchor = anAnchor(() => ({ kind: 'failed', why: 'timeout' }))
  const rounds = roundsOf(anchor)
  const asked = []
  for (let round = 0; round < 16; round += 1) asked.push((await next(rounds, anchor)).length)
  // After 60, 120, 240 and then every 300 seconds.
  expect(asked).toEqual([1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0])
  expect(told).toHaveLength(5)
})

test('one log that never goes out keeps no other from it', async () => {
  const anchor = anAnchor(({ log }) =>
    log === 'acme' ? { kind: 'failed', why: 'status_500' } : { kind: 'kept' },
  )
  const rounds = roundsOf(anchor)
  expect(await next(rounds, anchor)).toEqual(['_platform 1', 'acme 1'])
  expect(await next(rounds, anchor)).toEqual(['globex 1', 'acme 1'])
})

test('an anchor that is away is nothing to the others, nor one that throws', async () => {
  const good = anAnchor()
  const away = anAnchor(() => ({ kind: 'failed', why: 'timeout' }))
  const broken = anAnchor(() => {
    throw new Error('broken')
  })
  const rounds = roundsOf(away, good, broken)
  expect(await next(rounds, good)).toEqual(['_platform 1', 'acme 1', 'globex 1'])
  expect(faults).toEqual([new Error('broken')])
})

test('a refusal is told when it begins, a conflict each time', async () => {
  const anchor = anAnchor(({ log }) =>
    log === 'acme' ? { kind: 'conflict', why: 'a' } : { kind: 'refused', why: 'r' },
  )
  const rounds = roundsOf(anchor)
  for (let round = 0; round < 3; round += 1) await next(rounds, anchor)
  expect(told.filter(({ kind }) => kind === 'conflict')).toHaveLength(3)
  expect(told.filter(({ kind }) => kind === 'refused').map(({ log }) => log)).toEqual([
    '_platform',
    'globex',
  ])
  expect([...rounds.conflicts()]).toEqual(['acme'])
  anchor.says = () => ({ kind: 'kept' })
  await next(rounds, anchor)
  expect([...rounds.conflicts()]).toEqual([])
  logs.set('globex', 2)
  anchor.says = () => ({ kind: 'refused', why: 'r' })
  await next(rounds, anchor)
  expect(told.filter(({ kind }) => kind === 'refused')).toHaveLength(3)
})

test('a folder of logs that cannot be read ends the round, not the process', async () => {
  const anchor = anAnchor()
  const rounds = roundsOf(anchor)
  const kept = logs
  logs = {
    keys: () => {
      throw new Error('EACCES')
    },
  } as unknown as typeof logs
  expect(await next(rounds, anchor)).toEqual([])
  expect(faults).toEqual([new Error('EACCES')])
  logs = kept
  expect(await next(rounds, anchor)).toHaveLength(3)
})

test('what witnesses of one round say is kept together', async () => {
  const [one, other] = [
    anAnchor(() => ({ kind: 'kept', cosignature: 'one' })),
    anAnchor(() => ({ kind: 'kept', cosignature: 'other' })),
  ]
  logs = new Map([['acme', 3]])
  await roundsOf(one, other, anAnchor()).run()
  expect(cosigned).toEqual(['acme 3: one other'])
})

test('after the end no log is begun, and what was aborted is no failure', async () => {
  let rounds: AnchorRounds | undefined
  const anchor = anAnchor(() => {
    rounds?.stop()
    return { kind: 'failed', why: 'timeout' }
  })
  rounds = roundsOf(anchor)
  await rounds.run()
  expect(anchor.offers).toHaveLength(1)
  expect(told).toEqual([])
})
