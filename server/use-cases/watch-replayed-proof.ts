/**
 * A DPoP proof that was sent again, by an authenticated client, with a token of a task: counted where the task's type has a
 * trigger for that, and the client a way in to the token. A thief of the whole request gets no further than its assertion.
 */
import type { OwnToken } from '../core/input-token.ts'
import { isRefusal } from '../core/refusal.ts'
import type { Agent, Tenant } from '../core/tenant.ts'
import { placeOfCaller } from '../core/triggers.ts'
import { findWayIn } from '../core/way-in.ts'
import type { DecisionRecord } from './decision-record.ts'
import { findPresented } from './find-parent.ts'
import type { Clock, TaskStore } from './ports.ts'
import { type WatchDeps, watchTask } from './watch-task.ts'

export interface ReplayedProof {
  readonly tenant: Tenant
  readonly caller: Agent
  /** What came with the proof. */
  readonly token: OwnToken
  readonly record: DecisionRecord
}

export async function watchReplayedProof(
  deps: WatchDeps & {
    readonly clock: Clock
    readonly tasks: Pick<TaskStore, 'findHop' | 'endTask'>
  },
  { tenant, caller, token, record }: ReplayedProof,
): Promise<void> {
  const now = deps.clock.now()
  // A used proof proves no key. Whoever holds the token is the client it was issued to, and has just authenticated.
  const wayIn = findWayIn(tenant, caller, token, token.claims.cnf)
  if (isRefusal(wayIn) || wayIn.kind === 'root') return
  const presented = await findPresented(deps, { tenant, caller, record }, wayIn)
  if (isRefusal(presented)) return
  const { kind, place: from, task } = presented
  if (task.state !== 'open' || now >= task.deadline) return
  const place = placeOfCaller({ wayIn: kind, caller: caller.id, presented: from })
  await watchTask(deps, { tenant, caller, record, presented, now }, [
    { on: 'replayed_proof', place },
  ])
}
