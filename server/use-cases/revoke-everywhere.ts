/**
 * Ends everything of an agent, a subject or a task type, wherever it is in a tenant: one atomic step a task. On record as
 * pending before the first and until the last, so that what a crash interrupts is finished at the next start.
 */
import type { Tenant } from '../core/tenant.ts'
import { FACTS } from './author.ts'
import { DecisionRecord } from './decision-record.ts'
import { tokensBeneath } from './place-endings.ts'
import type {
  AuditLog,
  Clock,
  Ending,
  Reached,
  Revocation,
  RevocationScope,
  TaskStore,
  Tenants,
} from './ports.ts'
import type { SecurityEvents } from './security-events.ts'

export interface RevokeEverywhereDeps {
  readonly clock: Clock
  readonly tenants: Tenants
  readonly tasks: TaskStore
  readonly audit: AuditLog
  readonly securityEvents: SecurityEvents
  readonly randomId: () => string
  /** Resolves after others had their turn: a walk of a hundred thousand tasks holds up no request. */
  readonly pause: () => Promise<void>
}

export interface EverywhereInput {
  readonly tenant: Tenant
  readonly scope: RevocationScope
  readonly ending: Ending
  /** Becomes the entry of the whole revocation, with its counts. Why is noted: whoever asks knows whose words they are. */
  readonly record: DecisionRecord
}

/** Tasks taken at a time: each is a transaction of its own, together they are one commit. */
export const TASKS_PER_PAGE = 64

/** Resolves when every part of it is visible, its entry durable, and receivers will be told. */
export async function revokeEverywhere(
  deps: RevokeEverywhereDeps,
  { tenant, scope, ending, record }: EverywhereInput,
): Promise<Reached & { readonly id: string }> {
  const revocation = { id: deps.randomId(), scope, ending }
  await deps.tasks.beginRevocation(tenant.id, revocation)
  const reached = await walk(deps, tenant, revocation)
  await conclude(deps, { tenant, revocation, reached, record })
  return { id: revocation.id, ...reached }
}

/**
 * Finishes what a crash interrupted, from the beginning: doing a part of it again changes nothing. `onFault` is told of a
 * tenant whose part has to wait for the next start.
 */
export async function resumeRevocations(
  deps: RevokeEverywhereDeps,
  onFault: (fault: unknown, tenant: string) => void,
): Promise<void> {
  for (const { tenant: id, revocation } of await deps.tasks.pendingRevocations()) {
    try {
      const tenant = deps.tenants.find(id)
      if (tenant === undefined) continue
      const reached = await walk(deps, tenant, revocation)
      const record = recordOf(deps, tenant)
      const { by, reason } = revocation.ending
      record.note({ action: 'resume_revocation', author: by })
      if (by === FACTS) record.note({ ended_because: reason })
      else record.noteText('because', reason)
      await conclude(deps, { tenant, revocation, reached, record })
    } catch (fault) {
      onFault(fault, id)
    }
  }
}

/** Of what no request asked for. */
export function recordOf(
  { randomId }: Pick<RevokeEverywhereDeps, 'randomId'>,
  { id, version }: Tenant,
): DecisionRecord {
  return new DecisionRecord({ ref: randomId(), tenant: id, tenant_version: version, event: 'task' })
}

async function walk(
  deps: RevokeEverywhereDeps,
  tenant: Tenant,
  revocation: Revocation,
): Promise<Reached> {
  const reached = { tasks: 0, places: 0 }
  for await (const txns of liveTasks(deps, tenant.id)) {
    const parts = await Promise.all(txns.map((txn) => revokeIn(deps, { tenant, txn, revocation })))
    for (const { tasks, places } of parts) {
      reached.tasks += tasks
      reached.places += places
    }
  }
  return reached
}

/**
 * Tasks that are not over, page by page, with a pause after each. Those opened meanwhile are not looked for: whoever opens one
 * looks at the facts again once it is recorded.
 */
export async function* liveTasks(
  { tasks, clock, pause }: Pick<RevokeEverywhereDeps, 'tasks' | 'clock' | 'pause'>,
  tenant: string,
): AsyncGenerator<readonly string[]> {
  const limit = TASKS_PER_PAGE
  let after: string | undefined
  do {
    const txns = await tasks.liveTasks(tenant, { now: clock.now(), after, limit })
    if (txns.length > 0) yield txns
    after = txns.length < limit ? undefined : txns.at(-1)
    await pause()
  } while (after !== undefined)
}

/** One task's part, and what receivers are told of it. */
export async function revokeIn(
  { tasks, securityEvents }: Pick<RevokeEverywhereDeps, 'tasks' | 'securityEvents'>,
  {
    tenant,
    txn,
    revocation,
  }: { readonly tenant: Tenant; readonly txn: string; readonly revocation: Revocation },
): Promise<Reached> {
  const reached = await tasks.revokeIn(tenant.id, txn, revocation)
  // Of a subject receivers are told once, whatever there was.
  if (tenant.eventReceivers.size === 0 || revocation.scope.kind === 'subject') return reached
  const tree = await tasks.readTask(tenant.id, txn)
  if (tree === undefined) return reached
  const { task, revokedPlaces } = tree
  const { ending } = revocation
  const isOurs = ({ at, by, reason }: Ending): boolean =>
    at === ending.at && by === ending.by && reason === ending.reason
  // By what is recorded, not by what this call did: a part that was done before a crash is told now.
  if (task.state === 'revoked' && task.ending !== undefined && isOurs(task.ending)) {
    const ended = { ...task, state: 'revoked' } as const
    await securityEvents.emit(tenant, { kind: 'task_ended', task: ended, ending })
  }
  const places = revokedPlaces.filter((out) => isOurs(out.ending)).map(({ place }) => place)
  if (places.length > 0) {
    const jtis = tokensBeneath(tree, places)
    await securityEvents.emit(tenant, { kind: 'tokens_revoked', task, ending, jtis })
  }
  return reached
}

/** The entry before the end: a crash between the two writes it twice, and never not at all. */
export async function conclude(
  { audit, clock, tasks, securityEvents }: RevokeEverywhereDeps,
  {
    tenant,
    revocation,
    reached,
    record,
  }: {
    readonly tenant: Tenant
    readonly revocation: Revocation
    readonly reached: Reached
    readonly record: DecisionRecord
  },
): Promise<void> {
  const { id, scope, ending } = revocation
  record.note({
    revocation: id,
    tasks_reached: reached.tasks,
    places_reached: reached.places,
    ...scopeOnRecord(scope),
  })
  await audit.appendRevocation(record.permitted(clock.now()))
  if (scope.kind === 'subject') {
    const subject = { id: scope.id, revocation: id }
    await securityEvents.emit(tenant, { kind: 'subject_revoked', subject, ending })
  }
  await tasks.finishRevocation(tenant.id, id)
}

function scopeOnRecord({ kind, id }: RevocationScope) {
  if (kind === 'agent') return { agent: id }
  return kind === 'subject' ? { subject: id } : { task_type: id }
}
