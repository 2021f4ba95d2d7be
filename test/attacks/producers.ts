/** A real request for every reason an HTTP client can meet, by reason. */
import { vi } from 'vitest'
import type { Reason } from '../../server/core/refusal.ts'
import { AdminClient, MANAGEMENT_CLIENT } from '../support/admin-client.ts'
import { ACCESS_TOKEN, type Answer } from '../support/agent-client.ts'
import { startAuthorizationServer } from '../support/authorization-server.ts'
import { newKey } from '../support/signing.ts'
import { REQUESTS_PER_CRAMPED_TASK, RESEARCHER_EXPIRES, type Stage, tokenOf } from './fixture.ts'
import { startWithJwksUri } from './issuer-server.ts'
import { OWN_WORK } from './positions.ts'

/** No request makes the server say so: something has to change in the middle of one. */
export type Unreachable = 'facts_changed'
export type Reachable = Exclude<Reason, Unreachable>

type Producer = (stage: Stage) => Promise<Answer>

/** At `instant`, by a clock that is put back. The sockets' own timers stay real. */
async function at(instant: number, send: () => Promise<Answer>): Promise<Answer> {
  vi.useFakeTimers({ toFake: ['Date'], now: instant })
  try {
    return await send()
  } finally {
    vi.useRealTimers()
  }
}

const exchangeFirst =
  (form: Readonly<Record<string, string>>): Producer =>
  async (stage) =>
    stage.researcher.exchange(await stage.first(), form)

const WATCHED = { task_type: 'watched-work', audience: 'researcher-a2a' }

export const PRODUCERS = {
  request_malformed: async (stage) =>
    stage.researcher.exchange(await stage.first(), { scope: ['files:read', 'files:read'] }),
  request_too_large: ({ planner }) => planner.exchange('x'.repeat(100_000)),
  parameter_missing: ({ planner }) => planner.exchange(''),
  actor_token_incomplete: exchangeFirst({ actor_token: 'x' }),
  token_type_unsupported: exchangeFirst({ subject_token_type: 'urn:x:saml' }),
  requested_token_type_unsupported: exchangeFirst({ requested_token_type: 'urn:x:refresh' }),
  subject_token_unacceptable: async (stage) => stage.rogue.exchange(await stage.first()),
  subject_token_expired: async (stage) => {
    const first = await stage.first()
    return at(Date.now() + 301_000, () => stage.researcher.exchange(first))
  },
  subject_token_revoked: async (stage) => {
    const first = await stage.first()
    await stage.planner.revoke(first)
    return stage.researcher.exchange(first)
  },
  actor_token_unacceptable: exchangeFirst({ actor_token: 'x', actor_token_type: ACCESS_TOKEN }),
  may_act_mismatch: ({ planner, server }) =>
    planner.open(server.idToken('alice', 'planner', { may_act: { sub: 'coder' } })),
  actor_already_in_chain: async (stage) => {
    const { planner, researcher } = stage
    const back = await researcher.exchange(await stage.first(), { audience: 'planner-a2a' })
    return planner.exchange(tokenOf(back))
  },
  actor_inactive: (stage) => {
    const expires = Date.parse(RESEARCHER_EXPIRES)
    return at(expires - 30_000, async () => {
      const second = await stage.second()
      vi.setSystemTime(expires + 30_000)
      return stage.coder.exchange(second)
    })
  },
  subject_inactive: ({ planner, server }) => planner.open(server.idToken('mallory')),
  chain_too_long: async ({ planner, researcher, coder, rogue, server }) => {
    const idToken = server.idToken('alice', 'researcher')
    const one = tokenOf(await researcher.open(idToken, { audience: 'coder-a2a' }))
    const two = tokenOf(await coder.exchange(one, { audience: 'rogue-a2a' }))
    const three = tokenOf(await rogue.exchange(two, { audience: 'planner-a2a' }))
    return planner.exchange(three)
  },
  token_too_large: ({ server }) =>
    server.client('planner', 'initech').open(server.idToken(), {
      task_type: 'wide-work',
      audience: 'files-api',
    }),
  task_ended: async (stage) => {
    const { planner, server } = stage
    const home = tokenOf(await planner.open(server.idToken(), { audience: 'planner-a2a' }))
    return at(Date.now() + 601_000, () => planner.exchange(home))
  },
  task_suspended: async ({ server }) => {
    const planner = server.client('planner', 'initech')
    const first = tokenOf(await planner.open(server.idToken(), WATCHED))
    return planner.exchange(first, { audience: 'researcher-a2a' })
  },
  subject_token_spent: async ({ server }) => {
    const planner = server.client('planner', 'initech')
    const idToken = server.idToken()
    await planner.exchange(tokenOf(await planner.open(idToken, WATCHED)), { audience: 'nowhere' })
    return planner.open(idToken, WATCHED)
  },
  task_limit_reached: async ({ server }) => {
    const planner = server.client('planner', 'initech')
    const form = { task_type: 'file-work', audience: 'researcher-a2a' }
    const first = tokenOf(await planner.open(server.idToken(), form))
    const again = { audience: 'researcher-a2a' }
    await planner.exchange(first, again)
    return planner.exchange(first, again)
  },
  task_type_required: ({ server }) => server.client('planner', 'initech').open(server.idToken()),
  task_type_not_permitted: ({ planner, server }) =>
    planner.open(server.idToken(), { task_type: 'deep-work' }),
  role_required: ({ server }) =>
    new AdminClient(server.config.publicUrl).signInPerson(
      'acme',
      server.idToken('alice', MANAGEMENT_CLIENT),
    ),
  purpose_malformed: ({ planner, server }) => planner.open(server.idToken(), { purpose: 'a\nb' }),
  target_malformed: exchangeFirst({ resource: 'https://files.api#x' }),
  target_ambiguous: exchangeFirst({ resource: 'https://files.api', audience: 'mail-api' }),
  target_not_permitted: exchangeFirst({ audience: 'pay-api' }),
  scope_malformed: exchangeFirst({ scope: 'files:read  files:write' }),
  scope_not_permitted: exchangeFirst({ scope: 'mail:send' }),
  scope_nothing_left: exchangeFirst({ audience: 'mail-api' }),
  approval_required: ({ planner, server }) =>
    planner.open(server.idToken(), { audience: 'pay-api', scope: 'pay:transfer' }),
  authorization_details_unsupported: exchangeFirst({ authorization_details: '[]' }),
  client_authentication_failed: ({ planner }) =>
    planner.token(OWN_WORK, { assertionKey: newKey() }),
  grant_not_permitted: ({ server }) => server.client('files-api').exchange('x'),
  grant_unsupported: ({ planner }) => planner.token({ grant_type: 'password' }),
  proof_invalid: ({ planner }) => planner.token(OWN_WORK, { proof: { htm: 'GET' } }),
  proof_required: ({ planner }) => planner.token(OWN_WORK, { proof: null }),
  certificate_required: ({ server }) => server.client('researcher', 'initech').token(OWN_WORK),
  proof_replayed: async ({ planner }) => {
    const headers = { dpop: planner.proof() }
    await planner.token(OWN_WORK, { headers })
    return planner.token(OWN_WORK, { headers })
  },
  proof_nonce_required: async () => {
    const server = await startAuthorizationServer({
      tenants: {
        acme: ({ tenant }) => {
          tenant['dpop_nonces'] = true
        },
      },
    })
    try {
      return await server.client('planner').open(server.idToken())
    } finally {
      await server.close()
    }
  },
  rate_limited: ({ server }) => {
    const planner = server.client('planner', 'initech')
    const form = { task_type: 'file-work', audience: 'researcher-a2a' }
    // In the middle of a minute, so that all of them are within one.
    const minute = Math.floor(Date.now() / 60_000)
    return at(minute * 60_000 + 30_000, async () => {
      const first = tokenOf(await planner.open(server.idToken(), form))
      const ask = () => planner.exchange(first, { audience: 'nowhere' })
      for (let asked = 0; asked < REQUESTS_PER_CRAMPED_TASK; asked++) await ask()
      return ask()
    })
  },
  unavailable: async () => {
    const server = await startWithJwksUri('https://127.0.0.1:9/jwks', 1)
    try {
      return await server.planner.open(server.userToken(newKey(), 'any'))
    } finally {
      await server.close()
    }
  },
} as const satisfies Record<Reachable, Producer>
