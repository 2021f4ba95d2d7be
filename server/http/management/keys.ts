/** The signing keys of a tenant, and the one thing that is done to them by hand: an end, when one was stolen. */
import { z } from 'zod'
import type { AuthorRole } from '../../use-cases/author.ts'
import { killKey } from '../../use-cases/kill-key.ts'
import { pageOf } from './paging.ts'
import { EVERY_ROLE, type Route, route } from './route.ts'
import { listOf, nothing, pageQuery, words } from './schemas.ts'
import { liveTenant } from './tenants.ts'

const KEYS = '/admin/v1/tenants/{tenant}/keys'
const KILLERS: readonly AuthorRole[] = ['operator', 'admin']
const SMALL_BODY = 16 * 1024

const kid = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)

const keyView = z.strictObject({
  kid,
  alg: z.enum(['ES256', 'EdDSA', 'RS256']),
  state: z.literal('active').meta({ description: 'It signs. Killed keys are in no list.' }),
})

const kill = z.strictObject({
  kid: kid.meta({ description: 'The key in use.' }),
  reason: words(512).meta({ description: 'Why, in the words of the author.' }),
})

const killed = z.strictObject({ kid, killed: z.literal(true) })

export const KEY_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: KEYS,
    name: 'list_keys',
    summary: 'Keys that tokens of the tenant are signed with',
    roles: EVERY_ROLE,
    query: pageQuery,
    answers: { 200: { text: 'As they are in its key set.', schema: listOf(keyView) } },
    refusals: ['not_found'],
    handle: (deps, { parameters, query }) => {
      const tenant = liveTenant(deps, parameters['tenant'])
      if ('kind' in tenant) return tenant
      const keys = deps.keys.list(tenant).map((key) => ({ ...key, state: 'active' }))
      const page = pageOf(keys, (key) => key.kid, query)
      return 'kind' in page ? page : { status: 200, body: page }
    },
  }),
  route({
    method: 'POST',
    path: `${KEYS}/kill`,
    name: 'kill_key',
    summary: 'Ends the key in use at once and for good, with everything it signed',
    roles: KILLERS,
    query: nothing,
    body: { schema: kill, limit: SMALL_BODY },
    answers: {
      200: {
        text: 'Another key signs from now on. Management tokens of the tenant are gone too.',
        schema: killed,
      },
    },
    refusals: ['not_found', 'precondition_failed'],
    handle: async (deps, { parameters, body, record }) => {
      const { tenant = '' } = parameters
      const refusal = await killKey(deps, { tenant, ...body, record })
      return refusal ?? { status: 200, body: { kid: body.kid, killed: true } }
    },
  }),
]
