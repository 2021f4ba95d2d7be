/**
 * From a narrowed ceiling to a token: claim the hop in one atomic step, look again, mint, put the decision on record,
 * answer. A fault after the claim revokes the hop: no token left the process.
 */

import type { DelegatedClaims } from '../../lib/src/act-bounds.ts'
import type { Attenuated } from '../core/attenuate.ts'
import { delegatedClaims, placeOf } from '../core/delegated-claims.ts'
import type { ProvenKey } from '../core/input-token.ts'
import { type Reason, type Refusal, refuse } from '../core/refusal.ts'
import { stated, strictest } from '../core/rules.ts'
import type { Agent, Tenant } from '../core/tenant.ts'
import type { TokenUse } from '../core/usage-names.ts'
import { ensureRecordable } from './audit-log.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { Parent } from './parent.ts'
import type {
  AuditLog,
  Clock,
  HopConflict,
  HopRecord,
  StatusIndexes,
  TaskStore,
  Tenants,
} from './ports.ts'
import type { UsageNotes } from './usage.ts'

export interface IssueDeps {
  readonly clock: Clock
  readonly tenants: Tenants
  readonly tasks: TaskStore
  readonly statusIndexes: StatusIndexes
  readonly audit: AuditLog
  readonly usage: UsageNotes
  /** 128 random bits as base64url: a `jti` or `txn` (RFC 6749 §10.10). */
  readonly randomId: () => string
  /** Signs the claims as an `at+jwt` of the tenant; `token_too_large` before anything is signed. */
  readonly mint: (tenant: Tenant, claims: DelegatedClaims) => Promise<string | Refusal>
}

export interface HopDraft {
  readonly tenant: Tenant
  readonly caller: Agent
  readonly parent: Parent
  /** Why the task is opened, in the opener's words; nothing where the hop opens none. */
  readonly purpose: string | undefined
  readonly attenuated: Attenuated
  readonly key: ProvenKey
  readonly record: DecisionRecord
  readonly now: number
}

export interface Granted {
  readonly kind: 'granted'
  readonly token: string
  readonly claims: DelegatedClaims
  /** Seconds, from now. */
  readonly expiresIn: number
}

const CONFLICT_REASONS: Readonly<Record<HopConflict | 'subject_token_spent', Reason>> = {
  task_unknown: 'subject_token_revoked',
  task_ended: 'task_ended',
  task_suspended: 'task_suspended',
  subject_token_spent: 'subject_token_spent',
  parent_unknown: 'subject_token_revoked',
  parent_revoked: 'subject_token_revoked',
  parent_expired: 'subject_token_expired',
  place_revoked: 'subject_token_revoked',
  place_full: 'task_limit_reached',
  task_full: 'task_limit_reached',
}

export async function issueHop(deps: IssueDeps, draft: HopDraft): Promise<Granted | Refusal> {
  const { tenant, record } = draft
  const { lineage } = draft.parent
  ensureRecordable(deps.audit)
  const idx = await deps.statusIndexes.allocate(tenant.id, lineage.list)
  const claims = delegatedClaims({
    ...draft,
    lineage,
    holder: draft.caller.id,
    jti: deps.randomId(),
    idx,
  })
  noteDecision(draft)
  const conflict = await claimHop(deps, draft, claims)
  if (conflict !== undefined) return refuse(CONFLICT_REASONS[conflict], conflict)
  try {
    // Look again: whoever changes the facts writes first and then walks the hops, so one of the two sees the other.
    const isSame = deps.tenants.find(tenant.id) === tenant
    const token = isSame ? await deps.mint(tenant, claims) : refuse('facts_changed')
    if (typeof token !== 'string') {
      await deps.tasks.revokeHop(tenant.id, lineage.txn, claims.jti)
      return token
    }
    noteToken(draft, claims)
    await deps.audit.append(record.permitted(draft.now))
    void deps.tasks.settleHop(tenant.id, lineage.txn, claims.jti).catch(leaveToRecovery)
    deps.usage.token(tenant.id, useOf(draft, claims), draft.now)
    return { kind: 'granted', token, claims, expiresIn: claims.exp - draft.now }
  } catch (fault) {
    await deps.tasks.revokeHop(tenant.id, lineage.txn, claims.jti).catch(leaveToRecovery)
    await withdraw(deps, draft)
    throw fault
  }
}

/** Where its entry may have reached the disk, the next one takes it back; the fault is told whether that can be written or not. */
async function withdraw({ audit }: IssueDeps, { record, now }: HopDraft): Promise<void> {
  if (record.isAppended) await audit.appendRevocation(record.withdrawn(now)).catch(leaveToRecovery)
}

/** Recovery settles a hop whose entry is on record and revokes one that has none. */
function leaveToRecovery(): void {}

async function claimHop(
  deps: IssueDeps,
  draft: HopDraft,
  claims: DelegatedClaims,
): Promise<keyof typeof CONFLICT_REASONS | undefined> {
  const { tenant, caller, purpose, now } = draft
  const { lineage, taskType, opened, subject: from } = draft.parent
  const hop = hopRecord(draft, claims)
  if (opened === undefined) {
    const { tokensPerPlace, tokensPerTask } = tenant.limits
    const outcome = await deps.tasks.recordHop(tenant.id, lineage.txn, hop, {
      now,
      tokensPerPlace,
      tokensPerTask,
    })
    return outcome === 'recorded' ? undefined : outcome
  }
  const { root, txn, subject, list } = lineage
  const outcome = await deps.tasks.openTask(
    tenant.id,
    {
      txn,
      type: taskType.id,
      subject,
      subjectFrom: from === undefined ? undefined : { issuer: from.issuer, claims: from.claims },
      subjectToken: opened.subjectToken,
      opener: caller.id,
      purpose,
      rootJti: root.jti,
      rootIdx: root.idx,
      scope: root.scope,
      reach: root.reach,
      maxDepth: root.max_depth,
      list,
      openedAt: root.iat,
      deadline: root.exp,
      state: 'open',
      ending: undefined,
    },
    hop,
  )
  return outcome === 'opened' ? undefined : outcome
}

function hopRecord(draft: HopDraft, claims: DelegatedClaims): HopRecord {
  return {
    jti: claims.jti,
    idx: claims.status.status_list.idx,
    parent: draft.parent.parent,
    place: placeOf(claims).join('/'),
    holder: claims.client_id,
    audience: claims.aud,
    owner: draft.attenuated.target.agent,
    scope: draft.attenuated.ceiling.scope,
    reach: draft.attenuated.ceiling.reach,
    issuedAt: claims.iat,
    expiresAt: claims.exp,
    revoked: false,
  }
}

function useOf({ parent, attenuated }: HopDraft, claims: DelegatedClaims): TokenUse {
  const { opened, taskType } = parent
  const { target, scope, policies } = attenuated
  return {
    chain: placeOf(claims),
    taskType: taskType.id,
    isOpening: opened !== undefined,
    target: target.id,
    scope: target.kind === 'api' ? scope : [],
    policies: opened === undefined ? policies : [...opened.policies, ...policies],
  }
}

/** What was decided, whether or not a token comes of it. */
function noteDecision({ parent, attenuated, purpose, record }: HopDraft): void {
  const { opened } = parent
  record.note({
    txn: parent.lineage.txn,
    task_type: parent.taskType.id,
    parent_jti: parent.parent,
    chain: parent.chain,
    policies: [...new Set([...(opened?.policies ?? []), ...attenuated.policies])],
    obligations: stated(strictest(opened?.obligations ?? {}, attenuated.obligations)),
  })
  if (opened !== undefined && purpose !== undefined) record.noteText('purpose', purpose)
}

function noteToken({ attenuated, record }: HopDraft, claims: DelegatedClaims): void {
  record.note({
    jti: claims.jti,
    chain: placeOf(claims),
    target: claims.aud,
    scope_after: attenuated.scope,
    expires_at: claims.exp,
  })
}
