/**
 * Everything that changes the store: each verb is one function run inside one transaction, so what it checked still holds
 * when it writes, whatever other processes do. A verb never throws for what is its caller's doing: a throw is a fault and
 * undoes the whole batch.
 */
import { endTask, resumeTask, revokeHop, revokeIn, revokePlace } from './endings.ts'
import type { Environment } from './environment.ts'
import { claimPush, settlePush } from './event-pushes.ts'
import {
  acknowledgeEvents,
  appendEvents,
  changeStream,
  createStream,
  removeStream,
  verifyStream,
} from './event-streams.ts'
import { openTask, recordHop, settleHop } from './hops.ts'
import { claimBlock } from './index-blocks.ts'
import { sweepLists } from './list-removal.ts'
import { claimReplay, sweepReplay } from './replay-claims.ts'
import type { Room } from './reserve.ts'
import { beginRevocation, finishRevocation } from './revocations.ts'
import { sweepTasks } from './task-removal.ts'
import { countOne, sweepCounters } from './window-counts.ts'

const VERBS = {
  // Gone after some minutes, and needed by who signs in to end something.
  claimReplay: { run: claimReplay, room: 'claims' },
  sweepReplay: { run: sweepReplay, room: 'endings' },
  claimBlock: { run: claimBlock, room: 'growth' },
  openTask: { run: openTask, room: 'growth' },
  recordHop: { run: recordHop, room: 'growth' },
  settleHop: { run: settleHop, room: 'endings' },
  sweepTasks: { run: sweepTasks, room: 'endings' },
  sweepLists: { run: sweepLists, room: 'endings' },
  // What ends is never refused for want of room: it writes little, and a full store must still end.
  revokeHop: { run: revokeHop, room: 'endings' },
  revokePlace: { run: revokePlace, room: 'endings' },
  endTask: { run: endTask, room: 'endings' },
  resumeTask: { run: resumeTask, room: 'endings' },
  revokeIn: { run: revokeIn, room: 'endings' },
  beginRevocation: { run: beginRevocation, room: 'endings' },
  finishRevocation: { run: finishRevocation, room: 'endings' },
  countOne: { run: countOne, room: 'claims' },
  sweepCounters: { run: sweepCounters, room: 'endings' },
  createStream: { run: createStream, room: 'growth' },
  changeStream: { run: changeStream, room: 'endings' },
  removeStream: { run: removeStream, room: 'endings' },
  // Bounded in each stream, and part of what ends.
  appendEvents: { run: appendEvents, room: 'endings' },
  verifyStream: { run: verifyStream, room: 'growth' },
  acknowledgeEvents: { run: acknowledgeEvents, room: 'endings' },
  claimPush: { run: claimPush, room: 'endings' },
  settlePush: { run: settlePush, room: 'endings' },
} as const

type Verbs = typeof VERBS
export type Verb = keyof Verbs
export type VerbInput<Name extends Verb> = Parameters<Verbs[Name]['run']>[1]
export type VerbResult<Name extends Verb> = ReturnType<Verbs[Name]['run']>

/** A verb on its way to the writer. */
export interface Order<Name extends Verb = Verb> {
  readonly verb: Name
  readonly input: VerbInput<Name>
}

/** What there has to be room for. */
export function roomNeeded(order: Order): Room {
  return VERBS[order.verb].room
}

/** Runs inside a transaction. */
export function obey(environment: Environment, order: Order): unknown {
  const run = VERBS[order.verb].run as (environment: Environment, input: unknown) => unknown
  return run(environment, order.input)
}
