/**
 * What the use cases need from outside, declared by their user. Every verb that changes state is one
 * atomic step in the store, across processes: never read-then-write. What a verb resolved with survives the death of the
 * process; what survives the machine's is the audit log. Times are seconds since the epoch.
 */

import type { SigningKeys } from '../core/key-plan.ts'
import type { Tenant } from '../core/tenant.ts'

export type * from './audit-log.ts'
export type * from './event-store.ts'
export type * from './task-store.ts'
export type * from './telemetry.ts'
export type * from './usage-store.ts'
export type * from './witnessed-logs.ts'

export interface Clock {
  now(): number
}

export interface Tenants {
  /**
   * The tenant as it is at this moment in every process of the store: another object once anything of it changed. Planned
   * changes of its signing keys are none of the tenant.
   * Undefined where there is no such tenant. Reads shared memory; only after a change does it read a version.
   */
  find(id: string): Tenant | undefined
}

/** A version of a tenant's folder that passed every check. Its id is the hash of what it says, so it never changes. */
export interface StoredVersion {
  readonly version: string
  /** Who added it: `operator`, or `{trusted issuer id}:{subject}`. */
  readonly author: string
  readonly createdAt: number
  /** The author's own words. */
  readonly note: string | undefined
  /** Text of each file by its path in the folder. */
  readonly sources: Readonly<Record<string, string>>
  /** What the check made of them, as JSON, so that a node need not check again. */
  readonly compiled: string
}

export interface VersionSummary {
  readonly version: string
  readonly author: string
  readonly createdAt: number
  readonly note: string | undefined
  /** The last time it was made live; undefined: never. */
  readonly activatedAt: number | undefined
  readonly activatedBy: string | undefined
}

/** What decides which facts hold now, apart from the versions' own text. */
export interface LiveState {
  /** Grows with every change of any other member; 0 before the first. */
  readonly revision: number
  /** Undefined: the folder's. */
  readonly version: string | undefined
  /** Agents disabled by hand. No version lifts that. */
  readonly disabledAgents: ReadonlySet<string>
  /** Agents whose id had belonged to a removed one: since when they are themselves, seconds since the epoch. */
  readonly registeredAt: ReadonlyMap<string, number>
  /** What signs for the tenant, did and will. */
  readonly signingKeys: SigningKeys
}

export interface Activation {
  readonly version: string
  /** What the author saw live: its version, or undefined for the folder's. Another one: `conflict`. */
  readonly expected: string | undefined
  /** Agent ids of what was live and of what becomes live: who is gone, and who comes back as another. */
  readonly agentsBefore: Iterable<string>
  readonly agentsAfter: Iterable<string>
  readonly by: string
  readonly at: number
}

/** Versions kept of one tenant, so that no tenant fills the store of all. */
export const MOST_VERSIONS = 100

/**
 * Versions and live state of tenants. Unlike hot state this survives the loss of the machine: every verb is durable when it
 * resolves, one atomic step across processes, and seen by the next read of any of them.
 */
export interface TenantVersions {
  /** Of the tenant's live state. Reads shared memory: cheap enough for every request. */
  revision(tenant: string): number
  live(tenant: string): LiveState
  /** Ids of tenants that have a live version here. */
  tenants(): readonly string[]
  find(tenant: string, version: string): StoredVersion | undefined
  /** Newest first. */
  list(tenant: string): readonly VersionSummary[]
  /**
   * False where the same content is there already; its author stays who added it first. Beyond `MOST_VERSIONS` the one that
   * was added first goes, unless it is live.
   */
  add(tenant: string, version: StoredVersion): Promise<boolean>
  activate(
    tenant: string,
    activation: Activation,
  ): Promise<'activated' | 'version_unknown' | 'conflict'>
  /** `expected`: the revision the caller saw; undefined: any. */
  setDisabled(
    tenant: string,
    agent: string,
    change: { readonly disabled: boolean; readonly expected: number | undefined },
  ): Promise<'changed' | 'conflict'>
  /** A number no signing key of this tenant ever had. One that is not used is a hole, and harmless. */
  reserveKeyNumber(tenant: string): Promise<number>
  /** Makes these the tenant's signing keys, if the ones there still have their revision; they have the next one then. */
  setSigningKeys(tenant: string, keys: SigningKeys): Promise<'changed' | 'conflict'>
}

/** Single use. A claim is made only after the signature over its id verified (attack case M03). */
export interface ReplayGuard {
  /**
   * True the first time `id` is claimed in this tenant and kind, false ever after until `expiresAt` has passed; where that
   * claim named a holder, true for the same holder again. Atomic across processes.
   */
  claimReplay(claim: ReplayClaim): Promise<boolean>
}

export interface ReplayClaim {
  readonly tenant: string
  readonly kind: 'client_assertion' | 'dpop_proof' | 'security_event'
  /** Who is bound to single use and the id used once; attacker-chosen text, hashed by the store. */
  readonly id: readonly string[]
  readonly expiresAt: number
  /** The key that was proven with it: what is claimed by one key is good for that key alone. Absent: good once. */
  readonly holder?: string
}

export interface StatusIndexes {
  /** The list new tasks opened at `now` belong to: `g{generation}-{window}` (chain-format §4). */
  listAt(tenant: string, now: number): string
  /** An index never handed out before in this list, by any process. Holes are harmless. */
  allocate(tenant: string, list: string): Promise<number>
}
