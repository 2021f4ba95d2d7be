/** The signing keys of a tenant: those there are, a planned rotation to another, and the end of one that was stolen. */
import { z } from 'zod'
import { keysAt, type PublishedKey } from '../../core/key-plan.ts'
import { isManagementRefusal } from '../../core/management-refusal.ts'
import type { AuthorRole } from '../../use-cases/author.ts'
import { importKey } from '../../use-cases/import-key.ts'
import { killKey } from '../../use-cases/kill-key.ts'
import { rotateKey } from '../../use-cases/rotate-key.ts'
import { pageOf } from './paging.ts'
import { EVERY_ROLE, type Route, route } from './route.ts'
import { instant, listOf, nothing, pageQuery, words } from './schemas.ts'
import { liveTenant, toInstant } from './tenants.ts'

const KEYS = '/admin/v1/tenants/{tenant}/keys'
const KEEPERS: readonly AuthorRole[] = ['operator', 'admin']
const SMALL_BODY = 16 * 1024

const kid = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)

const keyView = z.strictObject({
  kid,
  alg: z.enum(['ES256', 'EdDSA', 'RS256']),
  state: z.enum(['next', 'active', 'retired']).meta({
    description: 'It will sign, signs, or signed tokens that may live. Killed keys are in no list.',
  }),
  signs_from: instant,
  published_until: instant.optional().meta({
    description: 'When it leaves the key set. Absent while no other key is to follow it.',
  }),
  keeper: z
    .enum(['sealed', 'pkcs11'])
    .meta({ description: 'Where its private half is: an encrypted file, or a PKCS #11 token.' }),
})

const newKey = z.strictObject({
  // As text, so that what is no key is refused as one, and not member by member.
  private_key: z.string().min(1).max(SMALL_BODY).optional().meta({
    description: 'PEM or a JSON Web Key as text, of the algorithm the tenant signs with.',
    writeOnly: true,
  }),
})

const kill = z.strictObject({
  kid: kid.meta({ description: 'Any key of the key set.' }),
  reason: words(512).meta({ description: 'Why, in the words of the author.' }),
})

const killed = z.strictObject({ kid, killed: z.literal(true) })

export const KEY_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: KEYS,
    name: 'list_keys',
    summary: 'Keys that tokens of the tenant are, were and will be signed with',
    roles: EVERY_ROLE,
    query: pageQuery,
    answers: {
      200: { text: 'As they are in its key set; the first one signs.', schema: listOf(keyView) },
    },
    refusals: ['not_found'],
    handle: (deps, { parameters, query }) => {
      const tenant = liveTenant(deps, parameters['tenant'])
      if ('kind' in tenant) return tenant
      const { signingKeys } = deps.versions.live(tenant.id)
      const keys = keysAt(signingKeys, deps.clock.now())?.published ?? []
      const page = pageOf(keys, (key) => key.kid, query)
      if ('kind' in page) return page
      return { status: 200, body: { ...page, items: page.items.map(viewOf) } }
    },
  }),
  route({
    method: 'POST',
    path: KEYS,
    name: 'rotate_key',
    summary: 'Publishes another key, which signs once every verifier can have read it',
    roles: KEEPERS,
    query: nothing,
    body: { schema: newKey, limit: SMALL_BODY },
    answers: {
      201: { text: 'Made, or brought: it signs from `signs_from` on.', schema: keyView },
    },
    refusals: ['not_found', 'key_waiting', 'keys_full', 'key_unacceptable'],
    handle: async (deps, { parameters, body, record }) => {
      const { tenant = '' } = parameters
      const { private_key: privateKey } = body
      if (privateKey !== undefined) record.note({ action: 'import_key' })
      const added =
        privateKey === undefined
          ? await rotateKey(deps, { tenant, record })
          : await importKey(deps, { tenant, privateKey, record })
      if (isManagementRefusal(added)) return added
      const view = viewOf({ ...added, state: 'next', publishedUntil: undefined })
      return { status: 201, body: view }
    },
  }),
  route({
    method: 'POST',
    path: `${KEYS}/kill`,
    name: 'kill_key',
    summary: 'Ends a key at once and for good, with everything it signed',
    roles: KEEPERS,
    query: nothing,
    body: { schema: kill, limit: SMALL_BODY },
    answers: {
      200: {
        text: 'Another key signs. What this one signed is gone, management tokens of the tenant too.',
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

function viewOf({ kid: id, alg, state, from, publishedUntil, keeper }: PublishedKey) {
  return {
    kid: id,
    alg,
    state,
    signs_from: toInstant(from),
    published_until: publishedUntil === undefined ? undefined : toInstant(publishedUntil),
    keeper,
  }
}
