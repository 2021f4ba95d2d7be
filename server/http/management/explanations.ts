/** Why a case is decided as it is, by the facts and rules that are live now. */
import type { z } from 'zod'
import type { Case } from '../../core/case.ts'
import { explain } from '../../core/explain.ts'
import { EVERY_ROLE, type Route, route } from './route.ts'
import { caseBody, explanation, nothing } from './schemas.ts'
import { liveTenant } from './tenants.ts'

const SMALL_BODY = 16 * 1024

export const EXPLANATION_ROUTES: readonly Route[] = [
  route({
    method: 'POST',
    path: '/admin/v1/tenants/{tenant}/explain',
    name: 'explain',
    summary: 'The decision on a case, each guard, the rules that decided, and what would change it',
    roles: EVERY_ROLE,
    query: nothing,
    body: { schema: caseBody, limit: SMALL_BODY },
    answers: { 200: { text: 'By the live version. Nothing is issued.', schema: explanation } },
    refusals: ['not_found'],
    handle: (deps, { parameters, body }) => {
      const tenant = liveTenant(deps, parameters['tenant'])
      if ('kind' in tenant) return tenant
      return { status: 200, body: explain(tenant, caseOf(body, deps.clock.now())) }
    },
  }),
]

function caseOf(body: z.output<typeof caseBody>, now: number): Case {
  const { subject, from, claims = {}, actors, resource, scope, purpose, key } = body
  return {
    subject,
    issuer: from,
    claims: Object.fromEntries(
      Object.entries(claims).map(([name, value]) => [
        name,
        typeof value === 'string' ? [value] : value,
      ]),
    ),
    actors,
    taskType: body.task_type,
    resource,
    scope,
    purpose,
    key,
    now: body.at === undefined ? now : Math.floor(Date.parse(body.at) / 1000),
  }
}
