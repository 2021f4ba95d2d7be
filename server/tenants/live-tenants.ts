/**
 * The tenants as they are now: from the folder as it was read at the start, until a version of the tenant is live in the
 * store; agents disabled by hand, ids that changed hands and killed keys are laid over either. Every look asks the store
 * for the revision, one read of shared memory, so a change made by any process is seen by the next request of every one.
 *
 * A live version that cannot be loaded is a fault of that tenant, told once, and its requests are answered 503. What was
 * live before is not kept: it may be what somebody replaced in an emergency.
 */
import { isDeepStrictEqual } from 'node:util'
import { formatProblem } from '../core/problem.ts'
import type { Tenant } from '../core/tenant.ts'
import type {
  Clock,
  LiveState,
  StoredVersion,
  Tenants,
  TenantVersions,
} from '../use-cases/ports.ts'
import { buildTenant } from './build-tenant.ts'
import { type CheckedTenant, checkTenant, readCompiled } from './check-tenant.ts'
import type { LoadedTenant } from './load-tenants.ts'
import { emptyReport } from './report.ts'

export interface LiveTenant extends LoadedTenant {
  readonly origin: 'folder' | 'store'
  /** Of the tenant's live state; grows with every change. */
  readonly revision: number
}

export interface LiveTenants extends Tenants {
  /** As `find`, with what it was made of. */
  describe(id: string): LiveTenant | undefined
  /** Of every tenant there is. */
  ids(): readonly string[]
}

export interface LiveTenantsDeps {
  /** Of the folder. */
  readonly loaded: ReadonlyMap<string, LoadedTenant>
  readonly versions: TenantVersions
  readonly publicUrl: string
  readonly clock: Clock
  /** Called once for each version before it is used; a throw makes the version unusable. */
  readonly prepare: (tenant: Tenant) => Tenant
  /** Told once for each revision that cannot be used. */
  readonly onFault: (tenant: string, fault: unknown) => void
}

/** What every look throws at a tenant whose live version cannot be used. It has been told. */
export class TenantUnavailable extends Error {
  override readonly name = 'TenantUnavailable'

  constructor(tenant: string) {
    super(`the live version of ${tenant} cannot be used`)
  }
}

/** A stored version that no longer passes the check. */
export class VersionUnusable extends Error {
  override readonly name = 'VersionUnusable'
  readonly sentences: readonly string[]

  constructor(sentences: readonly string[]) {
    super('a stored version does not pass the check')
    this.sentences = sentences
  }
}

/** Seconds until a version that could not be used is tried again: its fault may have been the disk's. */
const RETRY_SECONDS = 10

type Base = LoadedTenant & { readonly origin: LiveTenant['origin'] }

interface Known {
  readonly revision: number
  /** Version of the store; undefined: the folder's. */
  readonly version: string | undefined
  /** What lies over it. */
  readonly state: LiveState
  /** The version without what lies over it; undefined where there is no such tenant. */
  readonly base: Base | undefined
  readonly live: LiveTenant | undefined
}

interface Unusable {
  readonly revision: number
  readonly retryAt: number
}

/** A tenant that was read is kept; an id that nobody configured never is, so no caller makes this grow. */
export function createLiveTenants(deps: LiveTenantsDeps): LiveTenants {
  const { loaded, versions, clock } = deps
  const known = new Map<string, Known | Unusable>()

  function describe(id: string): LiveTenant | undefined {
    const revision = versions.revision(id)
    const last = known.get(id)
    if (last === undefined && revision === 0 && !loaded.has(id)) return undefined
    if (last?.revision !== revision) return load(id, last)
    if ('live' in last) return last.live
    if (clock.now() < last.retryAt) throw new TenantUnavailable(id)
    return load(id, last)
  }

  function load(id: string, last: Known | Unusable | undefined): LiveTenant | undefined {
    const state = versions.live(id)
    const { revision, version } = state
    try {
      const before =
        last !== undefined && 'live' in last && last.version === version ? last : undefined
      const base = before === undefined ? loadBase(deps, id, version) : before.base
      const isSame = before?.live !== undefined && isLaidOverAlike(before.state, state)
      const tenant = isSame ? before.live.tenant : base && overlay(base.tenant, state)
      const live = base && tenant && { ...base, tenant, revision }
      known.set(id, { revision, version, state, base, live })
      return live
    } catch (fault) {
      if (last?.revision !== revision) deps.onFault(id, fault)
      known.set(id, { revision, retryAt: clock.now() + RETRY_SECONDS })
      throw new TenantUnavailable(id)
    }
  }

  return {
    find: (id) => describe(id)?.tenant,
    describe,
    ids: () => [...new Set([...loaded.keys(), ...versions.tenants()])],
  }
}

function loadBase(
  { loaded, versions, publicUrl, prepare }: LiveTenantsDeps,
  id: string,
  version: string | undefined,
): Base | undefined {
  if (version === undefined) {
    const folder = loaded.get(id)
    return folder && { ...folder, tenant: prepare(folder.tenant), origin: 'folder' }
  }
  const stored = versions.find(id, version)
  if (stored === undefined) throw new Error('the live version is not in the store')
  const checked = readChecked(stored, { id, publicUrl })
  const sources = new Map(Object.entries(stored.sources))
  return {
    tenant: prepare(buildTenant({ id, publicUrl }, checked)),
    checked,
    sources,
    origin: 'store',
  }
}

/** As it was stored, or, where another release stored it in another form, checked again from its files. */
function readChecked(
  { version, compiled, sources }: StoredVersion,
  place: { readonly id: string; readonly publicUrl: string },
): CheckedTenant {
  const report = emptyReport()
  const checked =
    readCompiled(compiled) ??
    checkTenant(report, { ...place, label: place.id }, new Map(Object.entries(sources)))
  if (checked === undefined) throw new VersionUnusable(report.problems.map(formatProblem))
  // The name it was activated by, whatever another release makes of its files.
  return { ...checked, version }
}

/**
 * A key that is planned, begins to sign or is over changes nothing anybody decided by: the tenant stays the same object, and no
 * exchange is told that the facts changed. A key that was killed does.
 */
function isLaidOverAlike(a: LiveState, b: LiveState): boolean {
  return (
    a.signingKeys.killed.length === b.signingKeys.killed.length &&
    isDeepStrictEqual(a.disabledAgents, b.disabledAgents) &&
    isDeepStrictEqual(a.registeredAt, b.registeredAt)
  )
}

/** Another tenant, which is one and the same until the next change. */
function overlay(tenant: Tenant, { disabledAgents, registeredAt, signingKeys }: LiveState): Tenant {
  const keysKilled = signingKeys.killed.length
  const changed = new Set([...disabledAgents, ...registeredAt.keys()])
  if (changed.size === 0) return { ...tenant, keysKilled }
  const agents = new Map(tenant.agents)
  for (const id of changed) {
    const agent = agents.get(id)
    if (agent === undefined) continue
    const disabled = agent.disabled || disabledAgents.has(id)
    agents.set(id, { ...agent, disabled, registeredAt: registeredAt.get(id) })
  }
  return { ...tenant, agents, keysKilled }
}
