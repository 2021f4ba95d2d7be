/** Tenants as they are live: all of them for the operator, their own for a person. */
import { type ManagementRefusal, refuseManagement } from '../../core/management-refusal.ts'
import type { Tenant } from '../../core/tenant.ts'
import type { ManagementDeps } from './management-deps.ts'
import { pageOf } from './paging.ts'
import { tagOf } from './preconditions.ts'
import { EVERY_ROLE, type Reply, type Route, route } from './route.ts'
import { listOf, nothing, pageQuery, tenantSummary, tenantView } from './schemas.ts'

const TENANT = '/admin/v1/tenants/{tenant}'

export const TENANT_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/admin/v1/tenants',
    name: 'list_tenants',
    summary: 'Tenants the token is good for',
    roles: EVERY_ROLE,
    query: pageQuery,
    answers: { 200: { text: 'By id.', schema: listOf(tenantSummary) } },
    refusals: [],
    handle: (deps, { author, query }) => {
      const all = new Set([...deps.folders.ids(), ...deps.versions.tenants()])
      const ids = author.tenant === undefined ? [...all].sort() : [author.tenant]
      const page = pageOf(ids, (id) => id, query)
      if ('kind' in page) return page
      const items = page.items.map((id) => summaryOf(deps, id))
      return { status: 200, body: { ...page, items } }
    },
  }),
  route({
    method: 'GET',
    path: TENANT,
    name: 'read_tenant',
    summary: 'A tenant as it is live',
    roles: EVERY_ROLE,
    query: nothing,
    answers: { 200: { text: 'ETag is its live version.', schema: tenantView } },
    refusals: ['not_found'],
    handle: (deps, { parameters }) => {
      const tenant = liveTenant(deps, parameters['tenant'])
      return 'kind' in tenant ? tenant : reply(viewOf(deps, tenant))
    },
  }),
]

/** The tenant of a path, or that it is not there. */
export function liveTenant(deps: ManagementDeps, id = ''): Tenant | ManagementRefusal {
  return deps.tenants.find(id) ?? refuseManagement('not_found', 'tenant_unknown')
}

export function toInstant(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}

/** Version of a tenant that is live; undefined where it has none. */
export function liveVersion({ folders, versions }: ManagementDeps, id: string): string | undefined {
  return versions.live(id).version ?? folders.find(id)?.version
}

function reply(view: ReturnType<typeof viewOf>): Reply {
  return { status: 200, body: view, headers: { etag: tagOf(view.version) } }
}

function viewOf(deps: ManagementDeps, tenant: Tenant) {
  return { ...summaryOf(deps, tenant.id), display_name: tenant.displayName }
}

/** Of its live state alone: a tenant whose live version cannot be used is listed like any other. */
function summaryOf(deps: ManagementDeps, id: string) {
  const { publicUrl, versions } = deps
  const { version, revision } = versions.live(id)
  return {
    id,
    issuer: `${publicUrl}/t/${id}`,
    version: liveVersion(deps, id) ?? '',
    source: version === undefined ? 'folder' : 'store',
    revision,
  }
}
