/** What pages may speak of: the agents, resources, scopes and task types of all the tenants that come with the project. */
import { join } from 'node:path'
import type { Tenant } from '../../server/core/tenant.ts'
import type { KnownNames } from '../../server/policy/references.ts'
import { buildTenant } from '../../server/tenants/build-tenant.ts'
import { checkTenant } from '../../server/tenants/check-tenant.ts'
import { loadTenantIds } from '../../server/tenants/folder.ts'
import { emptyReport } from '../../server/tenants/report.ts'
import { readSources } from '../../server/tenants/sources.ts'
import { ROOT } from './pages.ts'

const publicUrl = 'https://as.example'

export function sampleNames(): KnownNames {
  const tenants = [
    ...['tenants', 'examples/tenants'].flatMap((folder) =>
      loadTenantIds(emptyReport(), join(ROOT, folder)).map((id) => load(folder, id)),
    ),
    load('server/cli', 'starter'), // what `actchain init` writes
  ]
  const idsOf = (list: (tenant: Tenant) => ReadonlyMap<string, unknown>): ReadonlySet<string> =>
    new Set(tenants.flatMap((tenant) => [...list(tenant).keys()]))
  return {
    tenant: 'acme',
    agents: idsOf(({ agents }) => agents),
    resources: idsOf(({ resources }) => resources),
    scopes: idsOf(({ scopes }) => scopes),
    taskTypes: idsOf(({ taskTypes }) => taskTypes),
    claims: new Set(
      tenants.flatMap(({ trustedIssuers }) =>
        [...trustedIssuers.values()].flatMap(({ subjectClaims }) => subjectClaims),
      ),
    ),
  }
}

function load(folder: string, id: string): Tenant {
  const report = emptyReport()
  const label = join(ROOT, folder, id)
  const sources = readSources(report, label)
  const checked = sources && checkTenant(report, { id, publicUrl, label }, sources)
  if (checked === undefined) throw new Error(JSON.stringify(report.problems))
  return buildTenant({ id, publicUrl }, checked)
}
