/**
 * Everything that changes the store: each verb is one function run inside one transaction, so what it checked still holds
 * when it writes, whatever other processes do. A verb never throws for what is its caller's doing: a throw is a fault and
 * undoes the whole batch.
 */
import type { Environment } from './environment.ts'
import { openTask, recordHop, revokeHop, settleHop } from './hops.ts'
import { claimBlock } from './index-blocks.ts'
import { claimReplay, sweepReplay } from './replay-claims.ts'
import { sweepTasks } from './task-removal.ts'

const VERBS = {
  claimReplay: { run: claimReplay, grows: true },
  sweepReplay: { run: sweepReplay, grows: false },
  claimBlock: { run: claimBlock, grows: true },
  openTask: { run: openTask, grows: true },
  recordHop: { run: recordHop, grows: true },
  revokeHop: { run: revokeHop, grows: false },
  settleHop: { run: settleHop, grows: false },
  sweepTasks: { run: sweepTasks, grows: false },
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
