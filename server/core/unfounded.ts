/**
 * What of a task no longer stands on the tenant's facts: who opened it or acts in it, who it is for, what kind it is. An
 * exchange looks at the same facts by itself; this is for verifiers, who see nothing but what was revoked.
 */
import { isActive } from './guards.ts'
import { isReplaced } from './live-actors.ts'
import type { Tenant } from './tenant.ts'

/** What there is of a task that could rest on facts that are gone. */
export interface RestingTask {
  readonly type: string
  readonly subject: string
  readonly opener: string
  /** Seconds since the epoch. */
  readonly openedAt: number
  /** Places and ages of its tokens that are not revoked. */
  readonly hops: readonly { readonly place: string; readonly issuedAt: number }[]
}

/** A reason to revoke something of a task, and everything else of the same reason with it. */
export interface Unfounded {
  readonly kind: 'agent' | 'subject' | 'task_type'
  readonly id: string
  readonly because: 'agent_inactive' | 'agent_replaced' | 'subject_disabled' | 'task_type_gone'
  /** Until when a task was opened that it reaches, seconds since the epoch: what came later has other grounds. */
  readonly until: number
}

export function findUnfounded(
  tenant: Tenant,
  task: RestingTask,
  now: number,
): readonly Unfounded[] {
  const found: Unfounded[] = []
  const { type, subject } = task
  if (!tenant.taskTypes.has(type)) {
    found.push({ kind: 'task_type', id: type, because: 'task_type_gone', until: now })
  }
  if (tenant.disabledSubjects.has(subject)) {
    found.push({ kind: 'subject', id: subject, because: 'subject_disabled', until: now })
  }
  for (const [id, since] of agentsOf(task)) {
    const agent = tenant.agents.get(id)
    if (!isActive(agent, now)) {
      found.push({ kind: 'agent', id, because: 'agent_inactive', until: now })
    } else if (isReplaced(agent, since)) {
      const { registeredAt: until = now } = agent
      found.push({ kind: 'agent', id, because: 'agent_replaced', until })
    }
  }
  return found
}

/** Each agent of the task, and since when at the latest it was in it. */
function agentsOf({ opener, openedAt, hops }: RestingTask): ReadonlyMap<string, number> {
  const since = new Map([[opener, openedAt]])
  for (const { place, issuedAt } of hops) {
    const holder = place.split('/').at(-1) ?? opener
    since.set(holder, Math.min(since.get(holder) ?? issuedAt, issuedAt))
  }
  return since
}

/**
 * Whether a change of the tenant takes the ground from under anything that stood on it before: an agent at work, a subject, a
 * task type. Most changes are of rules and take none; then no task has to be looked at.
 */
export function takesGround(before: Tenant, after: Tenant, now: number): boolean {
  for (const [id, agent] of before.agents) {
    const other = after.agents.get(id)
    const isSame = other?.registeredAt === agent.registeredAt
    if (isActive(agent, now) && !(isActive(other, now) && isSame)) return true
  }
  for (const id of after.disabledSubjects) if (!before.disabledSubjects.has(id)) return true
  for (const id of before.taskTypes.keys()) if (!after.taskTypes.has(id)) return true
  return false
}
