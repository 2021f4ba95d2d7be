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
import { beginRevocation, finishRevocation } from './revocations.ts'
import { sweepTasks } from './task-removal.ts'
import { countOne, sweepCounters } from './window-counts.ts'

const VERBS = {
  claimReplay: { run: claimReplay, grows: true },
  sweepReplay: { run: sweepReplay, grows: false },
  claimBlock: { run: claimBlock, grows: true },
  openTask: { run: openTask, grows: true },
  recordHop: { run: recordHop, grows: true },
  settleHop: { run: settleHop, grows: false },
  sweepTasks: { run: sweepTasks, grows: false },
  sweepLists: { run: sweepLists, grows: false },
  // What ends is never refused for want of room: it writes little, and a full store must still end.
  revokeHop: { run: revokeHop, grows: false },
  revokePlace: { run: revokePlace, grows: false },
  endTask: { run: endTask, grows: false },
  resumeTask: { run: resumeTask, grows: false },
  revokeIn: { run: revokeIn, grows: false },
  beginRevocation: { run: beginRevocation, grows: false },
  finishRevocation: { run: finishRevocation, grows: false },
  countOne: { run: countOne, grows: true },
  sweepCounters: { run: sweepCounters, grows: false },
  createStream: { run: createStream, grows: true },
  changeStream: { run: changeStream, grows: false },
  removeStream: { run: removeStream, grows: false },
  // Bounded in each stream, and part of what ends.
  appendEvents: { run: appendEvents, grows: false },
  verifyStream: { run: verifyStream, grows: true },
  acknowledgeEvents: { run: acknowledgeEvents, grows: false },
  claimPush: { run: claimPush, grows: false },
  settlePush: { run: settlePush, grows: false },
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

export function growsStore(order: Order): boolean {
  return VERBS[order.verb].grows
}

/** Runs inside a transaction. */
export function obey(environment: Environment, order: Order): unknown {
  const run = VERBS[order.verb].run as (environment: Environment, input: unknown) => unknown
  return run(environment, order.input)
}
