/** What of a tenant's facts is used, and what could be smaller. */
import { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { type DatedCertificate, FINDINGS, findSprawl, type Sprawl } from '../../core/sprawl.ts'
import type { Tenant } from '../../core/tenant.ts'
import { pageOf } from './paging.ts'
import { EVERY_ROLE, type Route, route } from './route.ts'
import { instant, listOf, pageQuery } from './schemas.ts'
import { liveTenant, toInstant } from './tenants.ts'

const DEFAULT_DAYS = 90

const usageQuery = pageQuery.extend({
  days: z
    .string()
    .regex(/^[1-9][0-9]{0,3}$/)
    .optional(),
})

export const usageView = z.strictObject({
  kind: z.enum(['agent', 'task_type', 'rule', 'role', 'authority']),
  id: z.string().meta({
    description:
      'Of an agent, task type or authority its id; of a rule its @id, of a role what it is granted by.',
  }),
  file: z.string().meta({ description: 'Where it is written; of a rule with its line.' }),
  owner: z.string().optional(),
  last_used: instant.optional().meta({ description: 'Absent: not since it is observed.' }),
  observed_since: instant
    .optional()
    .meta({ description: 'Nothing is called unused that was observed for fewer days.' }),
  findings: z.array(
    z.strictObject({
      finding: z.enum(FINDINGS),
      names: z.array(z.string()).optional(),
      at: instant.optional(),
    }),
  ),
  suggestion: z
    .array(z.string())
    .meta({ description: 'Members as they could be written instead.' }),
})

export const USAGE_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/admin/v1/tenants/{tenant}/usage',
    name: 'list_usage',
    summary: 'Every agent with its last use; what was not used for so many days, and what will end',
    roles: EVERY_ROLE,
    query: usageQuery,
    answers: { 200: { text: 'Agents by id, then the rest.', schema: listOf(usageView) } },
    refusals: ['not_found'],
    handle: async (deps, { parameters, query }) => {
      const tenant = liveTenant(deps, parameters['tenant'])
      if ('kind' in tenant) return tenant
      const sprawl = findSprawl({
        tenant,
        uses: await deps.usage.read(tenant),
        certificates: certificatesOf(tenant),
        days: Number(query.days ?? DEFAULT_DAYS),
        now: deps.clock.now(),
      })
      const numbered = sprawl.map((item, at) => ({ item, at: String(at) }))
      const page = pageOf(numbered, ({ at }) => at, query)
      if ('kind' in page) return page
      return { status: 200, body: { ...page, items: page.items.map(({ item }) => viewOf(item)) } }
    },
  }),
]

function viewOf({ kind, id, file, owner, lastUsed, observedSince, findings, suggestion }: Sprawl) {
  return {
    kind,
    id,
    file,
    owner,
    last_used: lastUsed === undefined ? undefined : toInstant(lastUsed),
    observed_since: observedSince === undefined ? undefined : toInstant(observedSince),
    findings: findings.map(({ kind: finding, names, at }) => ({
      finding,
      names: names.length === 0 ? undefined : names,
      at: at === undefined ? undefined : toInstant(at),
    })),
    suggestion,
  }
}

/** Those written in the facts. */
function certificatesOf(tenant: Tenant): readonly DatedCertificate[] {
  const own = [...tenant.agents.values()].flatMap(({ id, auth }) =>
    auth.method === 'self_signed_tls_client_auth'
      ? auth.certificates.map((certificate) => dated('agent', id, certificate))
      : [],
  )
  const authorities = [...tenant.certificateAuthorities.values()].flatMap(({ id, certificates }) =>
    certificates.map((certificate) => dated('authority', id, certificate)),
  )
  return [...own, ...authorities]
}

function dated(kind: DatedCertificate['kind'], id: string, base64: string): DatedCertificate {
  const { validToDate } = new X509Certificate(Buffer.from(base64, 'base64'))
  return { kind, id, expiresAt: Math.floor(validToDate.getTime() / 1000) }
}
