/**
 * Versions and live state of tenants: `{data}/config`, an environment of its own. Losing a version, or that an agent was
 * disabled, must not happen, so a verb returns when its commit is on disk, and a crash of the machine leaves the last one
 * that was: this store is never set aside (boot-mark.ts is about hot state). The disk is waited for on the event loop, a
 * few milliseconds; people change a tenant, requests do not.
 */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { SigningKeys } from '../../core/key-plan.ts'
import {
  type Activation,
  type LiveState,
  MOST_VERSIONS,
  type StoredVersion,
  type TenantVersions,
  type VersionSummary,
} from '../../use-cases/ports.ts'
import { Environment, StoreFull } from './environment.ts'
import { addedKey, compiledKey, keysMadeKey, sourcesKey, versionKey, versionsOf } from './keys.ts'
import {
  readLive,
  readLiveTenants,
  readRevision,
  succeedAgents,
  writeLive,
} from './live-records.ts'

/** A version without its texts, so that a list reads little. */
interface VersionRecord {
  readonly version: string
  readonly author: string
  readonly createdAt: number
  readonly note?: string | undefined
  readonly activatedAt?: number | undefined
  readonly activatedBy?: string | undefined
  /** How many were added before it, of all tenants: tells versions of one second apart. */
  readonly added: number
}

/** Opens or creates it. `maxBytes` bounds what versions may take; disabling is never refused for it. */
export function openConfigEnvironment(dataFolder: string, maxBytes: number): Environment {
  const folder = join(dataFolder, 'config')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const environment = new Environment(folder, 'machine', maxBytes)
  environment.room() // takes what it may need on a full disk
  // A commit is only as durable as the names of its files.
  for (const name of [folder, dataFolder]) syncFolder(name)
  return environment
}

function syncFolder(folder: string): void {
  const opened = openSync(folder, 'r')
  try {
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
}

export class EmbeddedTenantVersions implements TenantVersions {
  readonly #environment: Environment

  constructor(environment: Environment) {
    this.#environment = environment
  }

  revision(tenant: string): number {
    this.#environment.refresh()
    return readRevision(this.#environment, tenant)
  }

  live(tenant: string): LiveState {
    this.#environment.refresh() // both reads see one commit
    const revision = readRevision(this.#environment, tenant)
    return { revision, ...readLive(this.#environment, tenant) }
  }

  tenants(): readonly string[] {
    this.#environment.refresh()
    return readLiveTenants(this.#environment)
  }

  find(tenant: string, version: string): StoredVersion | undefined {
    this.#environment.refresh()
    const record = findRecord(this.#environment, tenant, version)
    if (record === undefined) return undefined
    const sources = this.#environment.get(sourcesKey(tenant, version))
    const compiled = this.#environment.get(compiledKey(tenant, version))
    if (sources === undefined || compiled === undefined) throw new Error('a version is damaged')
    return {
      version,
      author: record.author,
      createdAt: record.createdAt,
      note: record.note,
      sources: JSON.parse(sources.toString('utf8')) as StoredVersion['sources'],
      compiled: compiled.toString('utf8'),
    }
  }

  list(tenant: string): readonly VersionSummary[] {
    this.#environment.refresh()
    return this.#environment
      .range(versionsOf(tenant), Infinity)
      .map(({ value }) => parse(value))
      .toSorted((a, b) => b.added - a.added)
      .map(summaryOf)
  }

  async add(tenant: string, version: StoredVersion): Promise<boolean> {
    const environment = this.#environment
    if (environment.isFull()) throw new StoreFull()
    return environment.transact(() => addVersion(environment, tenant, version))
  }

  async activate(
    tenant: string,
    activation: Activation,
  ): Promise<'activated' | 'version_unknown' | 'conflict'> {
    const environment = this.#environment
    return environment.transact(() => activate(environment, tenant, activation))
  }

  async setDisabled(
    tenant: string,
    agent: string,
    change: { readonly disabled: boolean; readonly expected: number | undefined },
  ): Promise<'changed' | 'conflict'> {
    const environment = this.#environment
    return environment.transact(() => {
      const { expected, disabled } = change
      if (expected !== undefined && expected !== readRevision(environment, tenant)) {
        return 'conflict'
      }
      const live = readLive(environment, tenant)
      if (live.disabledAgents.has(agent) === disabled) return 'changed'
      const disabledAgents = new Set(live.disabledAgents)
      if (disabled) disabledAgents.add(agent)
      else disabledAgents.delete(agent)
      writeLive(environment, tenant, { ...live, disabledAgents })
      return 'changed'
    })
  }

  async reserveKeyNumber(tenant: string): Promise<number> {
    const environment = this.#environment
    return environment.transact(() => {
      const number = (environment.get(keysMadeKey(tenant))?.readDoubleBE() ?? 0) + 1
      const made = Buffer.alloc(8)
      made.writeDoubleBE(number)
      environment.put(keysMadeKey(tenant), made)
      return number
    })
  }

  async setSigningKeys(tenant: string, keys: SigningKeys): Promise<'changed' | 'conflict'> {
    const environment = this.#environment
    return environment.transact(() => {
      const live = readLive(environment, tenant)
      const { revision } = live.signingKeys
      if (keys.revision !== revision) return 'conflict'
      writeLive(environment, tenant, { ...live, signingKeys: { ...keys, revision: revision + 1 } })
      return 'changed'
    })
  }

  async close(): Promise<void> {
    await this.#environment.close()
  }
}

function addVersion(environment: Environment, tenant: string, added: StoredVersion): boolean {
  const { version, author, createdAt, note, sources, compiled } = added
  if (environment.has(versionKey(tenant, version))) return false
  const before = environment.get(addedKey)?.readDoubleBE() ?? 0
  const count = Buffer.alloc(8)
  count.writeDoubleBE(before + 1)
  environment.put(addedKey, count)
  putRecord(environment, tenant, { version, author, createdAt, note, added: before })
  environment.put(sourcesKey(tenant, version), Buffer.from(JSON.stringify(sources)))
  environment.put(compiledKey(tenant, version), Buffer.from(compiled))
  removeOldest(environment, tenant)
  return true
}

function removeOldest(environment: Environment, tenant: string): void {
  const records = environment.range(versionsOf(tenant), Infinity).map(({ value }) => parse(value))
  const { version: live } = readLive(environment, tenant)
  const oldest = records.filter(({ version }) => version !== live)
  oldest.sort((a, b) => a.added - b.added)
  for (const { version } of oldest.slice(0, Math.max(0, records.length - MOST_VERSIONS))) {
    for (const key of [versionKey, sourcesKey, compiledKey]) {
      environment.remove(key(tenant, version))
    }
  }
}

function activate(
  environment: Environment,
  tenant: string,
  activation: Activation,
): 'activated' | 'version_unknown' | 'conflict' {
  const { version, expected, by, at } = activation
  const record = findRecord(environment, tenant, version)
  if (record === undefined) return 'version_unknown'
  const live = readLive(environment, tenant)
  if (live.version !== expected) return 'conflict'
  if (live.version === version) return 'activated'
  const registeredAt = succeedAgents(environment, tenant, {
    before: new Set(activation.agentsBefore),
    after: new Set(activation.agentsAfter),
    registeredAt: live.registeredAt,
    at,
  })
  putRecord(environment, tenant, { ...record, activatedAt: at, activatedBy: by })
  writeLive(environment, tenant, { ...live, version, registeredAt })
  return 'activated'
}

function findRecord(
  environment: Environment,
  tenant: string,
  version: string,
): VersionRecord | undefined {
  const value = environment.get(versionKey(tenant, version))
  return value === undefined ? undefined : parse(value)
}

function putRecord(environment: Environment, tenant: string, record: VersionRecord): void {
  environment.put(versionKey(tenant, record.version), Buffer.from(JSON.stringify(record)))
}

function parse(value: Buffer): VersionRecord {
  return JSON.parse(value.toString('utf8')) as VersionRecord
}

function summaryOf(record: VersionRecord): VersionSummary {
  const { version, author, createdAt, note, activatedAt, activatedBy } = record
  return { version, author, createdAt, note, activatedAt, activatedBy }
}
