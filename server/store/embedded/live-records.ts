/**
 * What is live of a tenant, as stored: the revision by itself, because every request reads it; the rest as one record; and
 * one mark for each agent that was removed, which no request reads.
 */
import { NO_KEYS, type SigningKeys } from '../../core/key-plan.ts'
import type { LiveState } from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { everyLive, liveKey, retiredKey, revisionKey } from './keys.ts'

interface LiveRecord {
  /** Keys are never parsed back. */
  readonly tenant: string
  readonly version?: string | undefined
  readonly disabled: readonly string[]
  readonly registered: readonly (readonly [agent: string, at: number])[]
  readonly signingKeys?: SigningKeys
}

export type LiveFacts = Omit<LiveState, 'revision'>

const NOTHING: LiveFacts = {
  version: undefined,
  disabledAgents: new Set(),
  registeredAt: new Map(),
  signingKeys: NO_KEYS,
}
const RETIRED = Buffer.from([1])

export function readRevision(environment: Environment, tenant: string): number {
  return environment.get(revisionKey(tenant))?.readDoubleBE() ?? 0
}

export function readLive(environment: Environment, tenant: string): LiveFacts {
  const value = environment.get(liveKey(tenant))
  if (value === undefined) return NOTHING
  const { version, disabled, registered, signingKeys = NO_KEYS } = parse(value)
  const registeredAt = new Map(registered)
  return { version, disabledAgents: new Set(disabled), registeredAt, signingKeys }
}

/** Ids of tenants that have a live version. */
export function readLiveTenants(environment: Environment): readonly string[] {
  const records = environment.range(everyLive, Infinity).map(({ value }) => parse(value))
  return records.filter(({ version }) => version !== undefined).map(({ tenant }) => tenant)
}

function parse(value: Buffer): LiveRecord {
  return JSON.parse(value.toString('utf8')) as LiveRecord
}

/** Inside a transaction: the facts and another revision. */
export function writeLive(environment: Environment, tenant: string, facts: LiveFacts): void {
  const record: LiveRecord = {
    tenant,
    version: facts.version,
    disabled: [...facts.disabledAgents],
    registered: [...facts.registeredAt],
    signingKeys: facts.signingKeys,
  }
  const revision = Buffer.alloc(8)
  revision.writeDoubleBE(readRevision(environment, tenant) + 1)
  environment.put(revisionKey(tenant), revision)
  environment.put(liveKey(tenant), Buffer.from(JSON.stringify(record)))
}

/**
 * Inside a transaction: marks who is gone, and tells since when everyone who bears the id of one that was gone is
 * registered (attack case E10).
 */
export function succeedAgents(
  environment: Environment,
  tenant: string,
  change: {
    readonly before: ReadonlySet<string>
    readonly after: ReadonlySet<string>
    readonly registeredAt: ReadonlyMap<string, number>
    readonly at: number
  },
): ReadonlyMap<string, number> {
  const registeredAt = new Map(change.registeredAt)
  for (const agent of change.before) {
    if (change.after.has(agent)) continue
    registeredAt.delete(agent)
    environment.put(retiredKey(tenant, agent), RETIRED)
  }
  for (const agent of change.after) {
    const key = retiredKey(tenant, agent)
    if (!environment.has(key)) continue
    registeredAt.set(agent, change.at)
    environment.remove(key)
  }
  return registeredAt
}
