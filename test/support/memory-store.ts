/**
 * The ports over plain maps: the reference other stores are compared with, and what use cases run on in tests. One process,
 * so a verb without an await in it is one atomic step.
 */
import {
  type Activation,
  type AuditEntry,
  type AuditLog,
  type Clock,
  type HopConflict,
  type HopLimits,
  type HopRecord,
  type LiveState,
  MOST_VERSIONS,
  type ReplayClaim,
  type ReplayGuard,
  type StatusIndexes,
  type StoredVersion,
  type TaskRecord,
  type TaskStore,
  type TenantVersions,
  type VersionSummary,
} from '../../server/use-cases/ports.ts'

interface StoredTask {
  readonly task: TaskRecord
  /** By `jti`, in the order they were recorded: no child comes before its parent. */
  readonly hops: Map<string, HopRecord>
}

/** No two lists of texts are written the same way, whatever is in them. */
const keyOf = (...parts: readonly string[]): string => JSON.stringify(parts)

export class MemoryTaskStore implements TaskStore {
  readonly #tasks = new Map<string, StoredTask>()

  async openTask(tenant: string, task: TaskRecord, hop: HopRecord): Promise<void> {
    const key = keyOf(tenant, task.txn)
    if (this.#tasks.has(key)) throw new Error('the task exists already')
    this.#tasks.set(key, { task, hops: new Map([[hop.jti, hop]]) })
  }

  async recordHop(
    tenant: string,
    txn: string,
    hop: HopRecord,
    limits: HopLimits,
  ): Promise<'recorded' | HopConflict> {
    const stored = this.#tasks.get(keyOf(tenant, txn))
    if (stored === undefined) return 'task_unknown'
    const { task, hops } = stored
    if (task.state !== 'open' || limits.now >= task.deadline) return 'task_ended'
    const parent = hops.get(hop.parent)
    if (parent === undefined) return 'parent_unknown'
    if (parent.revoked) return 'parent_revoked'
    if (limits.now >= parent.expiresAt) return 'parent_expired'
    const held = [...hops.values()].filter(({ place }) => place === hop.place).length
    if (held >= limits.tokensPerPlace) return 'place_full'
    if (hops.size >= limits.tokensPerTask) return 'task_full'
    if (hops.has(hop.jti)) throw new Error('a hop of this id exists already')
    hops.set(hop.jti, hop)
    return 'recorded'
  }

  async findHop(
    tenant: string,
    txn: string,
    jti: string,
  ): Promise<{ readonly task: TaskRecord; readonly hop: HopRecord } | undefined> {
    const stored = this.#tasks.get(keyOf(tenant, txn))
    const hop = stored?.hops.get(jti)
    return stored === undefined || hop === undefined ? undefined : { task: stored.task, hop }
  }

  async revokeHop(tenant: string, txn: string, jti: string): Promise<boolean> {
    const hops = this.#tasks.get(keyOf(tenant, txn))?.hops
    if (hops?.has(jti) !== true) return false
    const beneath = new Set([jti])
    for (const hop of hops.values()) if (beneath.has(hop.parent)) beneath.add(hop.jti)
    for (const one of beneath) {
      const hop = hops.get(one)
      if (hop !== undefined) hops.set(one, { ...hop, revoked: true })
    }
    return true
  }

  /** Nothing is pending here: there is no recovery. */
  async settleHop(): Promise<void> {}
}

export class MemoryReplayGuard implements ReplayGuard {
  readonly #claims = new Map<string, number>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async claimReplay({ tenant, kind, id, expiresAt }: ReplayClaim): Promise<boolean> {
    const now = this.#clock.now()
    if (!(expiresAt > now)) return false
    const key = keyOf(tenant, kind, ...id)
    const claimed = this.#claims.get(key)
    if (claimed !== undefined && claimed > now) return false
    this.#claims.set(key, expiresAt)
    return true
  }
}

export class MemoryStatusIndexes implements StatusIndexes {
  readonly #next = new Map<string, number>()

  listAt(_tenant: string, now: number): string {
    return `g1-${Math.floor(now / 3600).toString(36)}`
  }

  async allocate(tenant: string, list: string): Promise<number> {
    const key = keyOf(tenant, list)
    const index = this.#next.get(key) ?? 0
    this.#next.set(key, index + 1)
    return index
  }
}

interface TenantConfig {
  live: LiveState
  /** In the order they were added. */
  readonly versions: Map<string, { readonly stored: StoredVersion; summary: VersionSummary }>
  readonly retired: Set<string>
}

export class MemoryTenantVersions implements TenantVersions {
  readonly #tenants = new Map<string, TenantConfig>()

  #of(tenant: string): TenantConfig {
    const known = this.#tenants.get(tenant) ?? {
      live: {
        revision: 0,
        version: undefined,
        disabledAgents: new Set(),
        registeredAt: new Map(),
      },
      versions: new Map(),
      retired: new Set(),
    }
    this.#tenants.set(tenant, known)
    return known
  }

  revision(tenant: string): number {
    return this.#of(tenant).live.revision
  }

  live(tenant: string): LiveState {
    return this.#of(tenant).live
  }

  tenants(): readonly string[] {
    const all = [...this.#tenants]
    return all.filter(([, { live }]) => live.version !== undefined).map(([id]) => id)
  }

  find(tenant: string, version: string): StoredVersion | undefined {
    return this.#of(tenant).versions.get(version)?.stored
  }

  list(tenant: string): readonly VersionSummary[] {
    return [...this.#of(tenant).versions.values()].map(({ summary }) => summary).toReversed()
  }

  async add(tenant: string, stored: StoredVersion): Promise<boolean> {
    const { versions } = this.#of(tenant)
    if (versions.has(stored.version)) return false
    const { version, author, createdAt, note } = stored
    const never = { activatedAt: undefined, activatedBy: undefined }
    versions.set(version, { stored, summary: { version, author, createdAt, note, ...never } })
    const { version: live } = this.#of(tenant).live
    const [oldest] = [...versions.keys()].filter((id) => id !== live)
    if (versions.size > MOST_VERSIONS && oldest !== undefined) versions.delete(oldest)
    return true
  }

  async activate(
    tenant: string,
    { version, expected, agentsBefore, agentsAfter, by, at }: Activation,
  ): Promise<'activated' | 'version_unknown' | 'conflict'> {
    const config = this.#of(tenant)
    const chosen = config.versions.get(version)
    if (chosen === undefined) return 'version_unknown'
    if (config.live.version !== expected) return 'conflict'
    if (config.live.version === version) return 'activated'
    const after = new Set(agentsAfter)
    const registeredAt = new Map(config.live.registeredAt)
    for (const agent of agentsBefore) {
      if (after.has(agent)) continue
      registeredAt.delete(agent)
      config.retired.add(agent)
    }
    for (const agent of after) if (config.retired.delete(agent)) registeredAt.set(agent, at)
    chosen.summary = { ...chosen.summary, activatedAt: at, activatedBy: by }
    const revision = config.live.revision + 1
    config.live = { ...config.live, revision, version, registeredAt }
    return 'activated'
  }

  async setDisabled(
    tenant: string,
    agent: string,
    { disabled, expected }: { readonly disabled: boolean; readonly expected: number | undefined },
  ): Promise<'changed' | 'conflict'> {
    const config = this.#of(tenant)
    const { revision, disabledAgents } = config.live
    if (expected !== undefined && expected !== revision) return 'conflict'
    if (disabledAgents.has(agent) === disabled) return 'changed'
    const changed = new Set(disabledAgents)
    if (disabled) changed.add(agent)
    else changed.delete(agent)
    config.live = { ...config.live, revision: revision + 1, disabledAgents: changed }
    return 'changed'
  }
}

export class MemoryAuditLog implements AuditLog {
  readonly entries: AuditEntry[] = []

  async append(entry: AuditEntry): Promise<void> {
    this.entries.push(entry)
  }
}

export interface MemoryStore {
  readonly replay: MemoryReplayGuard
  readonly tasks: MemoryTaskStore
  readonly statusIndexes: MemoryStatusIndexes
  readonly versions: MemoryTenantVersions
  readonly audit: MemoryAuditLog
  close(): Promise<void>
}

export function openMemoryStore(clock: Clock): MemoryStore {
  return {
    replay: new MemoryReplayGuard(clock),
    tasks: new MemoryTaskStore(),
    statusIndexes: new MemoryStatusIndexes(),
    versions: new MemoryTenantVersions(),
    audit: new MemoryAuditLog(),
    close: async () => {},
  }
}
