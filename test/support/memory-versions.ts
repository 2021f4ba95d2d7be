/** Versions and live state of tenants over plain maps. */
import { NO_KEYS, type SigningKeys } from '../../server/core/key-plan.ts'
import {
  type Activation,
  type LiveState,
  MOST_VERSIONS,
  type StoredVersion,
  type TenantVersions,
  type VersionSummary,
} from '../../server/use-cases/ports.ts'

interface TenantConfig {
  live: LiveState
  /** In the order they were added. */
  readonly versions: Map<string, { readonly stored: StoredVersion; summary: VersionSummary }>
  readonly retired: Set<string>
  keysMade: number
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
        signingKeys: NO_KEYS,
      },
      versions: new Map(),
      retired: new Set(),
      keysMade: 0,
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

  async reserveKeyNumber(tenant: string): Promise<number> {
    const config = this.#of(tenant)
    config.keysMade += 1
    return config.keysMade
  }

  async setSigningKeys(tenant: string, keys: SigningKeys): Promise<'changed' | 'conflict'> {
    const config = this.#of(tenant)
    const { revision, signingKeys } = config.live
    if (keys.revision !== signingKeys.revision) return 'conflict'
    const next = { ...keys, revision: keys.revision + 1 }
    config.live = { ...config.live, revision: revision + 1, signingKeys: next }
    return 'changed'
  }
}
