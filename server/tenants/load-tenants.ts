/**
 * Reads every tenant of a folder, or says everything that is wrong with all of them: one broken tenant stops the
 * start, because a server that quietly leaves one out is found out by that tenant's users.
 */
import { join } from 'node:path'
import type { Problem } from '../core/problem.ts'
import type { Tenant } from '../core/tenant.ts'
import { checkAgents, readValues } from './agent-rules.ts'
import { buildTenant, type CheckedEntries } from './build-tenant.ts'
import { readEntries, type TenantEntries } from './entries.ts'
import { loadDocuments, loadTenantIds } from './folder.ts'
import { checkReferences } from './references.ts'
import { emptyReport, type Report, refuseFile, sortedReport } from './report.ts'
import { checkTaskTypes } from './task-type-rules.ts'
import { checkUnique } from './unique.ts'
import { withoutSlash } from './uri.ts'
import { checkUris } from './uri-rules.ts'
import { readVersion } from './version.ts'

export interface LoadInput {
  /** Path of the folder that holds one folder per tenant; problems name files under it. */
  readonly folder: string
  /** `ACTCHAIN_PUBLIC_URL`; issuers are `{publicUrl}/t/{tenant}`. */
  readonly publicUrl: string
}

export type LoadResult =
  | {
      readonly kind: 'loaded'
      readonly tenants: ReadonlyMap<string, Tenant>
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
  const root = withoutSlash(publicUrl)
  const tenants = new Map<string, Tenant>()
  for (const id of loadTenantIds(report, folder)) {
    const tenant = loadTenant(report, { folder: join(folder, id), id, publicUrl: root })
    if (tenant !== undefined) tenants.set(id, tenant)
  }
  const { problems, warnings } = sortedReport(report)
  return problems.length > 0
    ? { kind: 'refused', problems, warnings }
    : { kind: 'loaded', tenants, warnings }
}

interface TenantPlace {
  readonly folder: string
  readonly id: string
  readonly publicUrl: string
}

function loadTenant(report: Report, { folder, id, publicUrl }: TenantPlace): Tenant | undefined {
  const before = report.problems.length
  const documents = loadDocuments(report, folder)
  const entries = readEntries(report, documents)
  checkUnique(report, entries)
  checkReferences(report, entries)
  checkUris(report, entries, publicUrl)
  if (entries.agents !== undefined) checkAgents(report, entries.agents, entries.resources)
  if (entries.taskTypes !== undefined) checkTaskTypes(report, entries.taskTypes, entries)
  if (report.problems.length > before) return undefined
  const checked = findChecked(entries)
  if (checked === undefined) {
    refuseFile(report, folder, { text: 'not all files could be read' })
    return undefined
  }
  const files = Object.entries(documents).map(([name, { value }]) => [name, value] as const)
  const version = readVersion(Object.fromEntries<unknown>(files))
  return buildTenant({ id, issuer: `${publicUrl}/t/${id}`, version }, checked)
}

function findChecked(entries: TenantEntries): CheckedEntries | undefined {
  const { tenant, issuers, agents, resources, taskTypes } = entries
  if (!tenant || !issuers || !agents || !resources || !taskTypes) return undefined
  return {
    tenant: tenant.value,
    issuers: readValues(issuers),
    agents: readValues(agents),
    resources: readValues(resources),
    taskTypes: readValues(taskTypes),
  }
}
