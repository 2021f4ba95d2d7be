/**
 * Revokes what no longer stands on the facts: after a version that disables or removes agents, disables subjects or drops
 * task types, and at every start, for whatever a crash left undone.
 */

import type { Tenant } from '../core/tenant.ts'
import { findUnfounded, type Unfounded } from '../core/unfounded.ts'
import { FACTS } from './author.ts'
import type { Revocation, TaskTree } from './ports.ts'
import {
  conclude,
  liveTasks,
  type RevokeEverywhereDeps,
  recordOf,
  revokeIn,
} from './revoke-everywhere.ts'

/** Begun once a reason was met, concluded after the last task. */
interface Begun {
  readonly revocation: Revocation
  readonly reached: { tasks: number; places: number }
}

/** Resolves when every process and every list shows it, with an entry for each reason that was found. */
export async function reconcileTasks(deps: RevokeEverywhereDeps, tenant: Tenant): Promise<void> {
  const begun = new Map<string, Begun>()
  for await (const txns of liveTasks(deps, tenant.id)) {
    for (const txn of txns) await reconcile(deps, { tenant, txn, begun })
  }
  for (const { revocation, reached } of begun.values()) {
    const record = recordOf(deps, tenant)
    const { reason } = revocation.ending
    record.note({ action: 'reconcile_tasks', author: FACTS, ended_because: reason })
    await conclude(deps, { tenant, revocation, reached, record })
  }
}

async function reconcile(
  deps: RevokeEverywhereDeps,
  {
    tenant,
    txn,
    begun,
  }: { readonly tenant: Tenant; readonly txn: string; readonly begun: Map<string, Begun> },
): Promise<void> {
  const tree = await deps.tasks.readTask(tenant.id, txn)
  if (tree === undefined) return
  for (const unfounded of findUnfounded(tenant, restingOf(tree), deps.clock.now())) {
    const { revocation, reached } = await begin(deps, { tenant, begun }, unfounded)
    const part = await revokeIn(deps, { tenant, txn, revocation })
    reached.tasks += part.tasks
    reached.places += part.places
  }
}

function restingOf({ task, hops }: TaskTree) {
  return { ...task, hops: hops.filter(({ revoked }) => !revoked) }
}

async function begin(
  deps: RevokeEverywhereDeps,
  { tenant, begun }: { readonly tenant: Tenant; readonly begun: Map<string, Begun> },
  { kind, id, because, until }: Unfounded,
): Promise<Begun> {
  const key = `${kind} ${id} ${because}`
  const known = begun.get(key)
  if (known !== undefined) return known
  const ending = { at: until, by: FACTS, reason: because }
  const revocation: Revocation = { id: deps.randomId(), scope: { kind, id }, ending }
  await deps.tasks.beginRevocation(tenant.id, revocation)
  const made = { revocation, reached: { tasks: 0, places: 0 } }
  begun.set(key, made)
  return made
}
