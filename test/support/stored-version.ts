/** Versions for tests: made of a tenant's folder as it stands, and put into the store of a data folder. */
import { join } from 'node:path'
import { formatProblem } from '../../server/core/problem.ts'
import {
  EmbeddedTenantVersions,
  openConfigEnvironment,
} from '../../server/store/embedded/versions.ts'
import { checkTenant } from '../../server/tenants/check-tenant.ts'
import { emptyReport } from '../../server/tenants/report.ts'
import { readSources } from '../../server/tenants/sources.ts'
import type { StoredVersion, TenantVersions } from '../../server/use-cases/ports.ts'

export interface FolderVersion extends StoredVersion {
  readonly agents: readonly string[]
}

/** Throws the problems of a folder that has some. */
export function versionOfFolder(root: string, id: string, publicUrl: string): FolderVersion {
  const report = emptyReport()
  const label = join(root, id)
  const sources = readSources(report, label)
  const checked = sources && checkTenant(report, { id, publicUrl, label }, sources)
  if (sources === undefined || checked === undefined) {
    throw new Error(report.problems.map(formatProblem).join('\n'))
  }
  return {
    version: checked.version,
    author: 'operator',
    createdAt: 1_800_000_000,
    note: undefined,
    sources: Object.fromEntries(sources),
    compiled: JSON.stringify(checked),
    agents: checked.entries.agents.map((agent) => agent.id),
  }
}

/** Adds the version and makes it live, whatever was live before. */
export async function makeLive(
  versions: TenantVersions,
  tenant: string,
  { agents, ...version }: FolderVersion,
  change: { readonly at?: number; readonly agentsBefore?: readonly string[] } = {},
): Promise<void> {
  await versions.add(tenant, version)
  const outcome = await versions.activate(tenant, {
    version: version.version,
    expected: versions.live(tenant).version,
    agentsBefore: change.agentsBefore ?? agents,
    agentsAfter: agents,
    by: 'operator',
    at: change.at ?? 1_800_000_000,
  })
  if (outcome !== 'activated') throw new Error(outcome)
}

/** The versions of a data folder other processes may be using. */
export async function withVersions<Result>(
  dataFolder: string,
  work: (versions: TenantVersions) => Promise<Result>,
): Promise<Result> {
  const versions = new EmbeddedTenantVersions(openConfigEnvironment(dataFolder, 2 ** 30))
  try {
    return await work(versions)
  } finally {
    await versions.close()
  }
}
