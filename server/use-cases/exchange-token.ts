/**
 * One exchange (RFC 8693): the way in by the subject token's claims, live facts, attenuation, then the hop.
 * Input tokens come verified; the caller is authenticated and its key proven.
 */
import { attenuate } from '../core/attenuate.ts'
import {
  type ForeignToken,
  keyProofOf,
  type OwnToken,
  type ProvenKey,
  type SubjectToken,
} from '../core/input-token.ts'
import { isReplaced } from '../core/live-actors.ts'
import { checkMayAct } from '../core/may-act.ts'
import { findTaskType } from '../core/open-root.ts'
import { isRefusal, type Refusal, refuse } from '../core/refusal.ts'
import { findTarget, type TargetRequest } from '../core/target.ts'
import type { Agent, Resource, Tenant } from '../core/tenant.ts'
import { findWayIn, holdsKey, weakensBinding } from '../core/way-in.ts'
import type { DecisionRecord } from './decision-record.ts'
import { findPresented, judgeParent } from './find-parent.ts'
import { type Granted, type HopDraft, type IssueDeps, issueHop } from './issue-hop.ts'
import { openTask } from './open-task.ts'
import type { Parent } from './parent.ts'
import type { TaskStore } from './ports.ts'
import type { RateLimits } from './rate-limit.ts'
import { type WatchDeps, watchExchange } from './watch-task.ts'

export interface ExchangeInput {
  readonly tenant: Tenant
  readonly caller: Agent
  readonly subject: SubjectToken
  /** The caller's own token, verified; undefined where none was sent. */
  readonly actor: OwnToken | undefined
  readonly key: ProvenKey
  readonly target: TargetRequest
  readonly scope: readonly string[] | undefined
  readonly taskType: string | undefined
  readonly purpose: string | undefined
  readonly record: DecisionRecord
}

export interface ExchangeDeps extends IssueDeps, WatchDeps {
  readonly tasks: TaskStore
  readonly rates: RateLimits
}

export async function exchangeToken(
  deps: ExchangeDeps,
  input: ExchangeInput,
): Promise<Granted | Refusal> {
  const now = deps.clock.now()
  const { tenant, caller, record, key } = input
  const target = findTarget(tenant, caller, input.target)
  if (!isRefusal(target)) record.note({ target: target.uri })
  const wayIn = findWayIn(tenant, caller, input.subject, key)
  if (isRefusal(wayIn)) return wayIn
  record.note({ way_in: wayIn.kind })
  if (wayIn.kind === 'root') {
    const opened = await openForSubject(deps, input, wayIn.token, now)
    record.note({ anomalies: [] })
    const draft = await draftHop(deps, { ...input, target }, opened, now)
    return isRefusal(draft) ? draft : issueHop(deps, draft)
  }
  if (weakensBinding(wayIn.token.claims.cnf, key)) {
    return refuse('proof_required', 'binding_weakened')
  }
  const presented = await findPresented(deps, input, wayIn)
  if (isRefusal(presented)) return presented
  const limited = await deps.rates.countTask(tenant, presented.task.txn, now)
  if (limited !== undefined) return limited
  const parent = judgeParent(input, presented, now)
  const draft = await draftHop(deps, { ...input, target }, parent, now)
  const stopped = await watchExchange(deps, {
    tenant,
    caller,
    record,
    presented,
    outcome: draft,
    now,
  })
  // What was refused stays refused for its own reason, whatever it set off.
  if (isRefusal(draft)) return draft
  return stopped ?? issueHop(deps, draft)
}

/** What the caller's new token may be, under a parent that may have been refused. */
async function draftHop(
  deps: IssueDeps,
  input: Omit<ExchangeInput, 'target'> & { readonly target: Resource | Refusal },
  parent: Parent | Refusal,
  now: number,
): Promise<HopDraft | Refusal> {
  if (isRefusal(parent)) return parent
  const { tenant, caller, record, key, purpose } = input
  const actorFault = await checkActor(deps, input, now)
  if (actorFault !== undefined) return actorFault
  const { target } = input
  if (isRefusal(target)) return target
  const attenuated = attenuate({
    tenant,
    root: parent.lineage.root,
    parent: parent.ceiling,
    taskType: parent.taskType,
    caller,
    target,
    chain: parent.chain,
    subject: parent.subject,
    task: parent.task,
    key: keyProofOf(key),
    scope: input.scope,
    actorExpiresAt: input.actor?.claims.exp,
    // A child is never older than its parent: where another node's clock is ahead, its life is counted from there.
    now: Math.max(now, parent.lineage.issuedAt),
  })
  if (isRefusal(attenuated)) return attenuated
  return { tenant, caller, parent, purpose, attenuated, key, record, now }
}

async function openForSubject(
  deps: IssueDeps,
  input: ExchangeInput,
  token: ForeignToken,
  now: number,
): Promise<Parent | Refusal> {
  const { tenant, caller, record } = input
  record.note({ subject: token.subject, chain: [caller.id] })
  if (now >= token.expiresAt) return refuse('subject_token_expired', 'foreign_token_expired')
  const client = caller.issuerClients.get(token.issuer.id) ?? caller.id
  const actor = { sub: client, iss: token.issuer.issuer, client_id: client }
  const mayActFault = checkMayAct(token.mayAct, actor)
  if (mayActFault !== undefined) return mayActFault
  if (tenant.disabledSubjects.has(token.subject)) return refuse('subject_inactive')
  const source = { basis: 'policy', issuer: token.issuer.id } as const
  const taskType = findTaskType(tenant, caller, source, input.taskType)
  if (isRefusal(taskType)) return taskType
  return openTask(deps, {
    tenant,
    opener: caller,
    taskType,
    subject: { id: token.subject, issuer: token.issuer.id, claims: token.claims },
    subjectScope: token.scope,
    subjectToken: { id: [token.issuer.id, token.id], expiresAt: token.expiresAt },
    authentication: token.authentication,
    key: input.key,
    request: { scope: input.scope ?? [], purpose: input.purpose },
    record,
    now,
  })
}

/** The caller is the actor: an actor token is its own identity, on nobody's behalf, its key proven now. */
async function checkActor(
  deps: IssueDeps,
  input: Pick<ExchangeInput, 'actor' | 'caller' | 'tenant' | 'key' | 'subject'>,
  now: number,
): Promise<Refusal | undefined> {
  const { actor, caller, tenant, key } = input
  if (actor === undefined) return undefined
  const { claims } = actor
  const unacceptable = (guard: string): Refusal => refuse('actor_token_unacceptable', guard)
  if (claims.client_id !== caller.id || claims.sub !== caller.id)
    return unacceptable('actor_not_caller')
  const { subject } = input
  if (subject.kind === 'own' && subject.claims.sub === claims.sub)
    return unacceptable('actor_is_subject')
  if (claims.act !== undefined) return unacceptable('actor_has_chain')
  if (!holdsKey(claims.cnf, key)) return unacceptable('actor_key_not_proven')
  if (now >= claims.exp) return unacceptable('actor_token_expired')
  if (isReplaced(caller, claims.iat)) return unacceptable('actor_replaced')
  const known = await deps.tasks.findHop(tenant.id, claims.txn, claims.jti)
  if (known === undefined || known.hop.revoked || known.task.state !== 'open') {
    return unacceptable('actor_token_revoked')
  }
  return undefined
}
