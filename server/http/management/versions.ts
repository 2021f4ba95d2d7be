/** Versions of a tenant: what its files say, added, read, made live. */
import { isManagementRefusal, refuseManagement } from '../../core/management-refusal.ts'
import { activateVersion } from '../../use-cases/activate-version.ts'
import { addVersion } from '../../use-cases/add-version.ts'
import type { AuthorRole } from '../../use-cases/author.ts'
import { pageOf } from './paging.ts'
import { readExpectedVersion, tagOf } from './preconditions.ts'
import { EVERY_ROLE, type Route, route } from './route.ts'
import {
  activation,
  addedVersion,
  listOf,
  newVersion,
  nothing,
  pageQuery,
  versionSummary,
  versionView,
} from './schemas.ts'
import { liveVersion, toInstant } from './tenants.ts'

const VERSIONS = '/admin/v1/tenants/{tenant}/versions'
const WRITERS: readonly AuthorRole[] = ['operator', 'admin', 'policy_author']
const MAX_VERSION_BODY = 16 * 1024 * 1024

export const VERSION_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: VERSIONS,
    name: 'list_versions',
    summary: 'Versions in the store, newest first',
    roles: EVERY_ROLE,
    query: pageQuery,
    answers: { 200: { text: 'Newest first.', schema: listOf(versionSummary) } },
    refusals: ['not_found'],
    handle: (deps, { parameters, query }) => {
      const { tenant = '' } = parameters
      const all = deps.versions.list(tenant)
      const live = liveVersion(deps, tenant)
      if (all.length === 0 && live === undefined) return refuseManagement('not_found')
      const page = pageOf(all, ({ version }) => version, query)
      if ('kind' in page) return page
      const items = page.items.map(({ version, author, createdAt, note, ...last }) => ({
        version,
        author,
        created_at: toInstant(createdAt),
        note,
        live: version === live,
        activated_at: last.activatedAt === undefined ? undefined : toInstant(last.activatedAt),
        activated_by: last.activatedBy,
      }))
      return { status: 200, body: { ...page, items } }
    },
  }),
  route({
    method: 'POST',
    path: VERSIONS,
    name: 'add_version',
    summary: 'Checks the files and stores them as a version; what is live stays',
    roles: WRITERS,
    query: nothing,
    body: { schema: newVersion, limit: MAX_VERSION_BODY },
    answers: {
      201: { text: 'Stored.', schema: addedVersion },
      200: { text: 'The same content was stored before.', schema: addedVersion },
    },
    refusals: ['version_invalid'],
    handle: async (deps, { parameters, author, body, record }) => {
      const { tenant = '' } = parameters
      const { files: sources, note } = body
      const added = await addVersion(deps, { tenant, author, sources, note, record })
      if (isManagementRefusal(added)) return added
      const { version, isNew, warnings } = added
      const location = `${deps.publicUrl}${VERSIONS.replace('{tenant}', tenant)}/${version}`
      return { status: isNew ? 201 : 200, body: { version, warnings }, headers: { location } }
    },
  }),
  route({
    method: 'GET',
    path: `${VERSIONS}/{version}`,
    name: 'read_version',
    summary: 'What a version says; `live` is the one that holds',
    roles: EVERY_ROLE,
    query: nothing,
    answers: { 200: { text: 'ETag is the version.', schema: versionView } },
    refusals: ['not_found'],
    handle: (deps, { parameters }) => {
      const { tenant = '', version: named = '' } = parameters
      const live = liveVersion(deps, tenant)
      const version = named === 'live' ? live : named
      const stored = version === undefined ? undefined : deps.versions.find(tenant, version)
      const folder = deps.folders.find(tenant)
      const found = stored ?? (folder?.version === version ? folder : undefined)
      if (found === undefined) return refuseManagement('not_found', 'version_unknown')
      const body = {
        version: found.version,
        live: found.version === live,
        author: stored?.author,
        created_at: stored === undefined ? undefined : toInstant(stored.createdAt),
        note: stored?.note,
        files: found.sources,
      }
      return { status: 200, body, headers: { etag: tagOf(found.version) } }
    },
  }),
  route({
    method: 'POST',
    path: `${VERSIONS}/{version}/activate`,
    name: 'activate_version',
    summary: 'Makes a stored version live, if the live one is still the one named',
    roles: WRITERS,
    query: nothing,
    preconditions: 'If-Match or If-None-Match',
    answers: { 200: { text: 'Live in every process.', schema: activation } },
    refusals: [
      'trust_change_not_permitted',
      'not_found',
      'precondition_required',
      'precondition_failed',
      'version_invalid',
    ],
    handle: async (deps, { parameters, author, ifMatch, ifNoneMatch, record }) => {
      const { tenant = '', version = '' } = parameters
      if (version === 'live') return refuseManagement('not_found', 'version_unknown')
      const expected = readExpectedVersion(ifMatch, ifNoneMatch)
      if (isManagementRefusal(expected)) return expected
      const input = { tenant, version, expected: expected.version, author, record }
      const outcome = await activateVersion(deps, input)
      if (isManagementRefusal(outcome)) return outcome
      return { status: 200, body: outcome, headers: { etag: tagOf(version) } }
    },
  }),
]
