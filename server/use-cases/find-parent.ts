/**
 * A token of ours as the parent of a hop: live facts first (its record, its task, every actor, the subject), then what
 * of its chain the new hop carries on.
 */
import { narrow, openCeiling } from '../core/ceiling.ts'
import { placeOf } from '../core/delegated-claims.ts'
import type { Authentication, OwnToken } from '../core/input-token.ts'
import { findInactive, isReplaced } from '../core/live-actors.ts'
import { type Refusal, refuse } from '../core/refusal.ts'
import type { Agent, Tenant } from '../core/tenant.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { Parent } from './parent.ts'
import type { HopRecord, TaskRecord, TaskStore } from './ports.ts'

export interface Presented {
  readonly kind: 'holder' | 'recipient'
  readonly token: OwnToken
}

/** A token by right of which the caller asks, and what is on record of it. */
export interface KnownParent extends Presented {
  /** Agent ids from the root to the holder. */
  readonly place: readonly string[]
  readonly task: TaskRecord
  readonly hop: HopRecord
}

interface Facts {
  readonly tenant: Tenant
  readonly caller: Agent
  readonly record: DecisionRecord
}

/** The rest of the way in, which the record decides. */
export async function findPresented(
  deps: { readonly tasks: Pick<TaskStore, 'findHop'> },
  { tenant, caller, record }: Facts,
  wayIn: Presented,
): Promise<KnownParent | Refusal> {
  const { claims } = wayIn.token
  const place = placeOf(claims)
  record.note({ subject: claims.sub, txn: claims.txn, parent_jti: claims.jti, chain: place })
  record.note({ scope_before: claims.scope.split(' ') })
  const known = await deps.tasks.findHop(tenant.id, claims.txn, claims.jti)
  if (known === undefined) return refuse('subject_token_revoked', 'parent_unknown')
  // The right of a recipient is the audience: its own now, and when the token was made.
  if (
    wayIn.kind === 'recipient' &&
    (known.hop.owner !== caller.id || isReplaced(caller, claims.iat))
  ) {
    return refuse('subject_token_unacceptable', 'audience_changed_hands')
  }
  record.note({ task_type: known.task.type })
  return { ...wayIn, ...known, place }
}

/** Live facts, and what the new hop carries on. */
export function judgeParent(
  { tenant, caller }: Facts,
  presented: KnownParent,
  now: number,
): Parent | Refusal {
  const { kind, token, place, task, hop } = presented
  const { claims } = token
  const isRecipient = kind === 'recipient'
  if (hop.revoked) return refuse('subject_token_revoked', 'parent_revoked')
  if (task.state === 'suspended') return refuse('task_suspended')
  if (task.state !== 'open' || now >= task.deadline) return refuse('task_ended')
  if (now >= claims.exp) return refuse('subject_token_expired', 'parent_expired')
  if (isRecipient && (place.includes(caller.id) || claims.sub === caller.id)) {
    return refuse('actor_already_in_chain')
  }
  // Every actor is live, and still the agent that made its hop.
  const inactive = findInactive(tenant, claims, now)
  if (inactive !== undefined) return refuse('actor_inactive', inactive)
  if (tenant.disabledSubjects.has(claims.sub)) return refuse('subject_inactive')
  const taskType = tenant.taskTypes.get(task.type)
  if (taskType === undefined) return refuse('task_type_not_permitted', 'task_type_gone')
  const { subjectFrom, openedAt, deadline, txn } = task
  return {
    taskType,
    parent: claims.jti,
    chain: isRecipient ? [...place, caller.id] : place,
    subject: subjectFrom === undefined ? undefined : { id: claims.sub, ...subjectFrom },
    task: { txn, openedAt, deadline },
    opened: undefined,
    ...continueChain(presented, task.list),
  }
}

/** A recipient goes before all hops of the token, unchanged; a holder's new hop replaces the first. */
function continueChain(wayIn: Presented, list: string): Pick<Parent, 'lineage' | 'ceiling'> {
  const { claims } = wayIn.token
  const { root, hops } = claims.act_bounds
  const [own, ...below] = hops
  const isRecipient = wayIn.kind === 'recipient'
  const opened = openCeiling(root)
  const caps = hops.map((hop) => hop.max_depth ?? root.max_depth)
  const presented =
    own === undefined
      ? undefined
      : narrow(opened, {
          scope: own.scope,
          reach: own.reach,
          expiresAt: claims.exp,
          maxDepth: Math.min(...caps),
        })
  if (presented === undefined) throw new TypeError('an issued token has a hop with authority')
  return {
    ceiling: presented,
    lineage: {
      root,
      subject: claims.sub,
      txn: claims.txn,
      list,
      act: isRecipient ? claims.act : claims.act?.act,
      hops: isRecipient ? hops : below,
      issuedAt: claims.iat,
      authentication: authenticationOf(claims),
    },
  }
}

function authenticationOf({ auth_time, acr, amr }: OwnToken['claims']): Authentication {
  return {
    ...(auth_time === undefined ? {} : { auth_time }),
    ...(acr === undefined ? {} : { acr }),
    ...(amr === undefined ? {} : { amr }),
  }
}
