/**
 * Counts what looks wrong in a task, and ends the task where it is too much. Only task types with a trigger for what was seen
 * pay anything. Its callers have established the way in: what a stranger does is nobody's signal (attack case H09).
 */

import { type Refusal, refuse } from '../core/refusal.ts'
import type { Agent, Tenant } from '../core/tenant.ts'
import {
  counterId,
  type Firing,
  findFiring,
  type Seen,
  signalsOf,
  watchesOf,
} from '../core/triggers.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { KnownParent } from './find-parent.ts'
import type { AuditEntry, AuditLog, Counters, TaskStore } from './ports.ts'
import type { SecurityEvents } from './security-events.ts'

export interface WatchDeps {
  readonly counters: Counters
  readonly tasks: Pick<TaskStore, 'endTask'>
  readonly audit: AuditLog
  readonly securityEvents: SecurityEvents
}

/** Somebody with a way in to a token of the task. */
export interface Watched {
  readonly tenant: Tenant
  readonly caller: Agent
  /** Of the request at hand; the entry of a firing has the same reference. */
  readonly record: Pick<DecisionRecord, 'ref' | 'note'>
  readonly presented: KnownParent
  readonly now: number
}

/** One exchange, once it is decided. How it is refused where that fires a trigger; undefined: none fired. */
export function watchExchange(
  deps: WatchDeps,
  watched: Watched & { readonly outcome: Refusal | object },
): Promise<Refusal | undefined> {
  const { presented, caller, outcome, now } = watched
  const { kind: wayIn, place, task } = presented
  const exchange = { wayIn, caller: caller.id, presented: place, task, outcome, now }
  return watchTask(deps, watched, signalsOf(exchange))
}

/** How a request is refused that a trigger stopped; undefined: none fired. */
export async function watchTask(
  deps: WatchDeps,
  watched: Watched,
  seen: readonly Seen[],
): Promise<Refusal | undefined> {
  const { tenant, now } = watched
  const { task } = watched.presented
  const taskType = tenant.taskTypes.get(task.type)
  const watches = taskType === undefined ? [] : watchesOf(taskType, seen)
  watched.record.note({ anomalies: [...new Set(watches.map(({ trigger }) => trigger.on))] })
  if (watches.length === 0) return undefined
  const since = { txn: task.txn, since: task.ending?.at ?? 0 }
  // Together: one commit of the store.
  const counted = await Promise.all(
    watches.map(async (watch) => {
      const { within: window } = watch.trigger
      const id = counterId(since, watch)
      return { watch, count: await deps.counters.count({ tenant: tenant.id, id, window, now }) }
    }),
  )
  const firing = findFiring(counted)
  if (firing === undefined) return undefined
  await fire(deps, watched, firing)
  return firing.verdict === 'suspend'
    ? refuse('task_suspended', 'trigger_suspend')
    : refuse('task_ended', 'trigger_revoke')
}

/** Of many requests that saw too much, one ends the task and is on record for all. */
async function fire(deps: WatchDeps, watched: Watched, firing: Firing): Promise<void> {
  const { tenant, presented, now } = watched
  const { task } = presented
  const state = firing.verdict === 'suspend' ? 'suspended' : 'revoked'
  const ending = { at: now, by: 'trigger', reason: firing.reason }
  const outcome = await deps.tasks.endTask(tenant.id, task.txn, state, ending)
  if (outcome !== 'ended') return
  await deps.audit.appendRevocation(entryOf(watched, firing))
  await deps.securityEvents.emit(tenant, { kind: 'task_ended', task: { ...task, state }, ending })
}

function entryOf(watched: Watched, firing: Firing): AuditEntry {
  const { tenant, caller, record, presented, now } = watched
  const { task } = presented
  return {
    time: now,
    ref: record.ref,
    tenant: tenant.id,
    tenant_version: tenant.version,
    event: 'task',
    outcome: 'permit',
    author: 'trigger',
    action: firing.verdict === 'suspend' ? 'trigger_suspend' : 'trigger_revoke',
    client: caller.id,
    subject: task.subject,
    task_type: task.type,
    txn: task.txn,
    place: firing.place.join('/'),
    ended_because: firing.reason,
  }
}
