/**
 * The tenants at the start and from then on: the folder is read once, versions live in the store go before it, and what is
 * fine on a laptop only is refused in production, at the start and of every version that becomes live later.
 */
import type { Config } from './config.ts'
import { developmentDefaults } from './core/development-defaults.ts'
import { formatProblem } from './core/problem.ts'
import type { Tenant } from './core/tenant.ts'
import { ensureDevelopmentKeys } from './development-keys.ts'
import { StartRefused } from './start-refused.ts'
import { faultReason, type Log } from './telemetry/log.ts'
import {
  createLiveTenants,
  type LiveTenants,
  TenantUnavailable,
  VersionUnusable,
} from './tenants/live-tenants.ts'
import { type LoadedTenant, loadTenants } from './tenants/load-tenants.ts'
import type { Clock, TenantVersions } from './use-cases/ports.ts'

/** The tenants of the folder. Throws StartRefused where one has a problem. */
export function readFolder(config: Config, log: Log): ReadonlyMap<string, LoadedTenant> {
  const { tenantsFolder: folder, publicUrl } = config
  const loaded = loadTenants({ folder, publicUrl })
  for (const warning of loaded.warnings) {
    log.warn({ event: 'tenant_warning', reason: formatProblem(warning) })
  }
  if (loaded.kind === 'refused') throw new StartRefused(loaded.problems.map(formatProblem))
  if (config.mode === 'production') {
    const tenants = [...loaded.tenants.values()].map(({ tenant }) => tenant)
    const defaults = developmentDefaults(config, tenants)
    if (defaults.length > 0) throw new StartRefused(defaults)
  }
  return loaded.tenants
}

export interface TenantsEdges {
  readonly log: Log
  readonly clock: Clock
  readonly loaded: ReadonlyMap<string, LoadedTenant>
  readonly versions: TenantVersions
}

export interface OpenedTenants {
  readonly tenants: LiveTenants
  /** Those that could be used at the start. */
  readonly present: readonly Tenant[]
}

/**
 * Each tenant is looked at once: a live version that cannot be used is told now, and stops no other tenant; one with a
 * development default refuses the start in production.
 */
export function openTenants(config: Config, edges: TenantsEdges): OpenedTenants {
  const { log, clock, loaded, versions } = edges
  const refused: string[] = []
  const tenants = createLiveTenants({
    loaded,
    versions,
    clock,
    publicUrl: config.publicUrl,
    prepare: (tenant) => prepare(config, tenant),
    onFault: (tenant, fault) => {
      if (fault instanceof StartRefused) refused.push(...fault.sentences)
      for (const reason of reasonsOf(fault)) log.error({ event: 'tenant_unusable', tenant, reason })
    },
  })
  const present = tenants.ids().flatMap((id) => findUsable(tenants, id) ?? [])
  if (refused.length > 0) throw new StartRefused(refused)
  for (const { id, version } of present) {
    const folder = loaded.get(id)
    if (folder === undefined || folder.tenant.version === version) continue
    const reason = 'another version is live in the store; the folder counts once it is applied'
    log.warn({ event: 'tenant_folder_differs', tenant: id, reason })
  }
  return { tenants, present }
}

/** In production a version may have no development default; elsewhere agents without keys are given some. */
function prepare(config: Config, tenant: Tenant): Tenant {
  const { mode, dataFolder } = config
  if (mode !== 'production') return ensureDevelopmentKeys({ dataFolder, tenant })
  const defaults = developmentDefaults(config, [tenant])
  if (defaults.length > 0) throw new StartRefused(defaults)
  return tenant
}

/** One that cannot be used has been told. */
function findUsable(tenants: LiveTenants, id: string): Tenant | undefined {
  try {
    return tenants.find(id)
  } catch (fault) {
    if (fault instanceof TenantUnavailable) return undefined
    throw fault
  }
}

/** Sentences of ours about a tenant's files; of any other fault only where it was thrown. */
function reasonsOf(fault: unknown): readonly string[] {
  if (fault instanceof StartRefused || fault instanceof VersionUnusable) return fault.sentences
  return [faultReason(fault)]
}
