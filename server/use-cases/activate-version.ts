/**
 * Makes a stored version live, in one step for every process, if what its author saw live still is. Roles are judged against
 * exactly the versions that change places, so neither a race nor a name gives anybody more than their role (attack case Q06).
 */
import {
  type ManagementRefusal,
  refuseManagement,
  refuseVersion,
} from '../core/management-refusal.ts'
import type { Tenant } from '../core/tenant.ts'
import { takesGround } from '../core/unfounded.ts'
import type { Author } from './author.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { TenantVersions } from './ports.ts'
import { reconcileTasks } from './reconcile-tasks.ts'
import type { RevokeEverywhereDeps } from './revoke-everywhere.ts'
import { ensureFirstKey, followAlgorithm, type PrivateKeys } from './signing-keys.ts'
import type { TenantFolders, VersionChecks, VersionContent } from './version-content.ts'

export interface ActivateVersionDeps extends RevokeEverywhereDeps {
  readonly folders: TenantFolders
  readonly versions: TenantVersions
  readonly checks: VersionChecks
  readonly keys: PrivateKeys
}

export interface ActivateVersionInput {
  readonly tenant: string
  readonly version: string
  /** What its author saw live; undefined: nothing, the tenant is new. */
  readonly expected: string | undefined
  readonly author: Author
  readonly record: DecisionRecord
}

export interface ActivatedVersion {
  readonly version: string
  readonly previous: string | undefined
  readonly changes: readonly string[]
}

const TENANT_FILE = 'tenant.yaml'
const FOLDER_AUTHOR = 'folder'

/**
 * Resolves when the change is seen by every process, its entry durable, a key of the version's algorithm planned where the one
 * in use is of another, and what no longer stands on the facts revoked. A fault in these last parts leaves the version live; the
 * rest is done again at the next start.
 */
export async function activateVersion(
  deps: ActivateVersionDeps,
  input: ActivateVersionInput,
): Promise<ActivatedVersion | ManagementRefusal> {
  const { tenant, version, expected, author, record } = input
  const { version: stored } = deps.versions.live(tenant)
  const before = contentOf(deps, tenant, stored)
  if (before?.version !== expected) return refuseManagement('precondition_failed')
  const after = version === before?.version ? before : deps.versions.find(tenant, version)
  if (after === undefined) return refuseManagement('not_found', 'version_unknown')
  if (!mayApply(author, before, after)) return refuseManagement('trust_change_not_permitted')
  const { agents, signingAlgorithm, problems } = await deps.checks.read(tenant, after)
  if (problems.length > 0) return refuseVersion(problems, [])
  // Before anything changes: a fault here leaves all as it was.
  const changes = await deps.checks.changes(tenant, before, after)
  const now = deps.clock.now()
  if (stored === undefined && before !== undefined) {
    // What the folder said becomes a version too, so that there is a way back to it.
    await deps.versions.add(tenant, {
      ...before,
      author: FOLDER_AUTHOR,
      createdAt: now,
      note: undefined,
    })
  }
  // A new tenant has a key before it is one: its first request signs.
  const first = await ensureFirstKey(deps, tenant, signingAlgorithm)
  if (first !== undefined) {
    const made = { action: 'create_key', kid: first.kid, signs_from: first.from }
    await deps.audit.append(record.beside(now, made))
  }
  const tenantBefore = findUsable(deps, tenant)
  const outcome = await deps.versions.activate(tenant, {
    version,
    expected: stored,
    agentsBefore: before === undefined ? [] : await deps.checks.replacedAgents(tenant, before),
    agentsAfter: agents,
    by: author.name,
    at: now,
  })
  if (outcome === 'conflict') return refuseManagement('precondition_failed')
  if (outcome === 'version_unknown') return refuseManagement('not_found', 'version_unknown')
  const previous = before?.version
  record.note({
    ...(previous === undefined ? {} : { version_before: previous }),
    version_after: version,
    changes,
  })
  await deps.audit.append(record.permitted(now))
  const live = findUsable(deps, tenant)
  const planned = live && (await followAlgorithm(deps, live))
  if (planned !== undefined) {
    const { kid, from } = planned
    const rotated = { action: 'rotate_key', kid, signs_from: from, version_after: version }
    await deps.audit.append(record.beside(now, rotated))
  }
  if (live !== undefined && (tenantBefore === undefined || takesGround(tenantBefore, live, now))) {
    await reconcileTasks(deps, live)
  }
  return { version, previous, changes }
}

/**
 * Undefined too where its live version cannot be used: then nothing is issued, whoever looked has been told, and making
 * another version live is how it is put right. The next start looks at its tasks.
 */
function findUsable({ tenants }: ActivateVersionDeps, id: string): Tenant | undefined {
  try {
    return tenants.find(id)
  } catch {
    return undefined
  }
}

function contentOf(
  { folders, versions }: ActivateVersionDeps,
  tenant: string,
  stored: string | undefined,
): VersionContent | undefined {
  if (stored === undefined) return folders.find(tenant)
  const content = versions.find(tenant, stored)
  if (content === undefined) throw new Error('the live version of a tenant is not in the store')
  return content
}

/** To a policy author the whole file is closed: trust anchors, roles and limits, to the last comment. */
function mayApply(
  { roles }: Author,
  before: VersionContent | undefined,
  after: VersionContent,
): boolean {
  if (roles.includes('operator') || roles.includes('admin')) return true
  return before !== undefined && before.sources[TENANT_FILE] === after.sources[TENANT_FILE]
}
