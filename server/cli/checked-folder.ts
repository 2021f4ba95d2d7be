/** A tenant's files as a start would check them, and its own test cases run. */
import type { Problem } from '../core/problem.ts'
import type { Tenant } from '../core/tenant.ts'
import { buildTenant } from '../tenants/build-tenant.ts'
import { type CheckedTenant, checkTenant } from '../tenants/check-tenant.ts'
import { emptyReport, type Report, sortedReport } from '../tenants/report.ts'
import { readSources, type Sources } from '../tenants/sources.ts'
import { type CaseResult, runCases } from '../tenants/test-cases.ts'
import { Failure } from './failure.ts'
import type { TenantFolder } from './tenant-folders.ts'

export interface ValidTenant {
  readonly tenant: Tenant
  readonly checked: CheckedTenant
  readonly sources: Sources
}

export interface CheckedFolder {
  readonly folder: TenantFolder
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  /** Undefined exactly where there are problems. */
  readonly valid: ValidTenant | undefined
  /** Of its test cases; none where there are problems. */
  readonly results: readonly CaseResult[]
}

export function checkFolder(folder: TenantFolder, publicUrl: string): CheckedFolder {
  const report = emptyReport()
  const sources = readSources(report, folder.path)
  return checkSources(folder, { sources, report, publicUrl })
}

/** Files that came from elsewhere, such as the live ones of a server; `folder.path` is what problems call it. */
export function checkSources(
  folder: TenantFolder,
  given: {
    readonly sources: Sources | undefined
    readonly report: Report
    readonly publicUrl: string
  },
): CheckedFolder {
  const { sources, report, publicUrl } = given
  const place = { id: folder.id, publicUrl, label: folder.path }
  const checked = sources && checkTenant(report, place, sources)
  const { problems, warnings } = sortedReport(report)
  if (problems.length > 0 || checked === undefined || sources === undefined) {
    return { folder, problems, warnings, valid: undefined, results: [] }
  }
  const tenant = buildTenant(place, checked)
  const results = runCases(tenant, checked.cases)
  return { folder, problems, warnings, valid: { tenant, checked, sources }, results }
}

/** For commands that go on with a valid tenant alone. */
export function validOrFail({ folder, problems, valid }: CheckedFolder): ValidTenant {
  if (valid !== undefined) return valid
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
  throw new Failure(`${folder.path} has ${count}; see actchain check ${folder.path}.`)
}
