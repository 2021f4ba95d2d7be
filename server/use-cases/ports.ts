/**
 * What the use cases need from outside, declared by their user. Every verb that changes state is one
 * atomic step in the store, across processes: never read-then-write. What a verb resolved with survives the death of the
 * process; what survives the machine's is the audit log. Times are seconds since the epoch.
 */
import type { Tenant } from '../core/tenant.ts'

export interface Clock {
  now(): number
}

export interface Tenants {
  /** The tenant's current version; undefined where there is no such tenant. Never does I/O. */
  find(id: string): Tenant | undefined
}

/** Single use. A claim is made only after the signature over its id verified (attack case M03). */
export interface ReplayGuard {
  /**
   * True the first time `id` is claimed in this tenant and kind, false ever after until `expiresAt` has passed.
   * Atomic across processes.
   */
  claimReplay(claim: ReplayClaim): Promise<boolean>
}

export interface ReplayClaim {
  readonly tenant: string
  readonly kind: 'client_assertion' | 'dpop_proof'
  /** Who is bound to single use and the id used once; attacker-chosen text, hashed by the store. */
  readonly id: readonly string[]
  readonly expiresAt: number
}

export interface StatusIndexes {
  /** The list new tasks opened at `now` belong to: `g{generation}-{window}` (chain-format §4). */
  listAt(tenant: string, now: number): string
  /** An index never handed out before in this list, by any process. Holes are harmless. */
  allocate(tenant: string, list: string): Promise<number>
}

export interface TaskRecord {
  readonly txn: string
  readonly type: string
  readonly subject: string
  readonly opener: string
  readonly purpose: string | undefined
  readonly rootJti: string
  readonly rootIdx: number
  /** Status list id that holds every index of this task. */
  readonly list: string
  readonly openedAt: number
  readonly deadline: number
  readonly state: 'open' | 'closed' | 'revoked'
}

export interface HopRecord {
  readonly jti: string
  readonly idx: number
  /** `jti` of the token presented for it; the task's `rootJti` for the first. */
  readonly parent: string
  /** Agent ids from the root to the holder, joined by `/`. */
  readonly place: string
  readonly holder: string
  readonly audience: string
  /** The agent that answered at the audience when the hop was recorded; undefined for an API. */
  readonly owner: string | undefined
  readonly issuedAt: number
  readonly expiresAt: number
  readonly revoked: boolean
}

export interface HopLimits {
  readonly now: number
  readonly tokensPerPlace: number
  readonly tokensPerTask: number
}

/** Why a hop was not recorded; nothing was written then. */
export type HopConflict =
  | 'task_unknown'
  | 'task_ended'
  | 'parent_unknown'
  | 'parent_revoked'
  | 'parent_expired'
  | 'place_full'
  | 'task_full'

/** Hot state of tasks. A hop counts only while its record exists, so a lost store fails closed. */
export interface TaskStore {
  /** Writes the task and its first hop in one step. Throws if the task exists. */
  openTask(tenant: string, task: TaskRecord, hop: HopRecord): Promise<void>
  /**
   * One atomic step in the task's own slot: task open and before its deadline, parent recorded, unrevoked and
   * unexpired, counters below the limits; then the hop is written, pending until `settleHop`.
   */
  recordHop(
    tenant: string,
    txn: string,
    hop: HopRecord,
    limits: HopLimits,
  ): Promise<'recorded' | HopConflict>
  findHop(
    tenant: string,
    txn: string,
    jti: string,
  ): Promise<{ readonly task: TaskRecord; readonly hop: HopRecord } | undefined>
  /** Revokes the hop and all that was minted from it, in one step; false if it is not recorded. Idempotent. */
  revokeHop(tenant: string, txn: string, jti: string): Promise<boolean>
  /** Its audit entry is durable: recovery need not look at this hop any more. Not awaited by callers. */
  settleHop(tenant: string, txn: string, jti: string): Promise<void>
}

/** One decision on record. Ids and reasons only: no token, assertion, proof, key or secret. */
export interface AuditEntry {
  readonly time: number
  /** The request's random reference, also in the error body (`error_ref`) and the log. */
  readonly ref: string
  readonly tenant: string
  readonly tenant_version: string
  readonly event: 'token' | 'revocation' | 'introspection'
  readonly outcome: 'permit' | 'refuse' | 'ask'
  /** Public reason of a refusal. */
  readonly reason?: string
  /** The exact guard that refused, from a closed list; never leaves the server. */
  readonly guard?: string
  readonly client?: string
  readonly subject?: string
  readonly way_in?: 'holder' | 'recipient' | 'root' | 'client'
  readonly task_type?: string
  readonly purpose?: string
  readonly txn?: string
  readonly parent_jti?: string
  readonly jti?: string
  /** Agent ids from the root to the holder. */
  readonly chain?: readonly string[]
  readonly target?: string
  readonly scope_before?: readonly string[]
  readonly scope_requested?: readonly string[]
  readonly scope_after?: readonly string[]
  readonly expires_at?: number
}

export interface AuditLog {
  /** Resolves when the entry is durable. Throws when it cannot be: the caller then answers 503, never a token. */
  append(entry: AuditEntry): Promise<void>
}
