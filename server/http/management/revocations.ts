/** Everything of an agent, a subject or a task type at once: for the day a key leaks or a laptop is lost. */
import type { z } from 'zod'
import type { AuthorRole } from '../../use-cases/author.ts'
import type { RevocationScope } from '../../use-cases/ports.ts'
import { revokeEverywhere } from '../../use-cases/revoke-everywhere.ts'
import { type Route, route } from './route.ts'
import { nothing } from './schemas.ts'
import { revocation, revokedEverywhere } from './task-schemas.ts'
import { liveTenant } from './tenants.ts'

const DESK: readonly AuthorRole[] = ['operator', 'admin', 'helpdesk']
const SMALL_BODY = 16 * 1024

export const REVOCATION_ROUTES: readonly Route[] = [
  route({
    method: 'POST',
    path: '/admin/v1/tenants/{tenant}/revocations',
    name: 'revoke_everywhere',
    event: 'task',
    summary: 'Revokes whatever an agent, a subject or a task type has in any task',
    roles: DESK,
    query: nothing,
    body: { schema: revocation, limit: SMALL_BODY },
    answers: {
      200: {
        text: 'Every list shows it. New tasks are opened as before: facts and rules decide that.',
        schema: revokedEverywhere,
      },
    },
    refusals: ['not_found'],
    handle: async (deps, { author, parameters, body, record }) => {
      const tenant = liveTenant(deps, parameters['tenant'])
      if ('kind' in tenant) return tenant
      const ending = { at: deps.clock.now(), by: author.name, reason: body.reason }
      const scope = scopeOf(body)
      record.noteText('because', body.reason)
      const { id, tasks, places } = await revokeEverywhere(deps, { tenant, scope, ending, record })
      return { status: 200, body: { id, tasks, places } }
    },
  }),
]

/** The schema has seen to it that there is exactly one. */
function scopeOf({
  agent,
  subject,
  task_type: type,
}: z.output<typeof revocation>): RevocationScope {
  if (agent !== undefined) return { kind: 'agent', id: agent }
  if (subject !== undefined) return { kind: 'subject', id: subject }
  return { kind: 'task_type', id: type ?? '' }
}
