/**
 * Reads every tenant of a folder, or says everything that is wrong with all of them: one broken tenant stops the
 * start, because a server that quietly leaves one out is found out by that tenant's users.
 */
import { join } from 'node:path'
import type { Problem } from '../core/problem.ts'
import type { Tenant } from '../core/tenant.ts'
import { buildTenant } from './build-tenant.ts'
import { type CheckedTenant, checkTenant } from './check-tenant.ts'
import { loadTenantIds } from './folder.ts'
import { emptyReport, type Report, sortedReport } from './report.ts'
import { readSources, type Sources } from './sources.ts'

export interface LoadInput {
  /** Path of the folder that holds one folder per tenant; problems name files under it. */
  readonly folder: string
  /** `ACTCHAIN_PUBLIC_URL`; issuers are `{publicUrl}/t/{tenant}`. */
  readonly publicUrl: string
}

export interface LoadedTenant {
  readonly tenant: Tenant
  readonly checked: CheckedTenant
  readonly sources: Sources
}

export type LoadResult =
  | {
      readonly kind: 'loaded'
      readonly tenants: ReadonlyMap<string, LoadedTenant>
      readonly warnings: readonly Problem[]
    }
  | {
      readonly kind: 'refused'
      /** By file and line; never empty. */
      readonly problems: readonly Problem[]
      readonly warnings: readonly Problem[]
    }

/** Never throws for what is in the folder, nor for a folder that is not there. */
export function loadTenants({ folder, publicUrl }: LoadInput): LoadResult {
  const report = emptyReport()
  const tenants = new Map<string, LoadedTenant>()
  for (const id of loadTenantIds(report, folder)) {
    const tenant = loadTenant(report, { id, folder, publicUrl })
    if (tenant !== undefined) tenants.set(id, tenant)
  }
  const { problems, warnings } = sortedReport(report)
  return problems.length > 0
    ? { kind: 'refused', problems, warnings }
    : { kind: 'loaded', tenants, warnings }
}

function loadTenant(
  report: Report,
  { id, folder, publicUrl }: LoadInput & { readonly id: string },
): LoadedTenant | undefined {
  const label = join(folder, id)
  const sources = readSources(report, label)
  const checked = sources && checkTenant(report, { id, publicUrl, label }, sources)
  if (sources === undefined || checked === undefined) return undefined
  return { tenant: buildTenant({ id, publicUrl }, checked), checked, sources }
}
