/** What is not told: personal data that nobody needs, and to strangers anything at all. */
import { describe, expect } from 'vitest'
import { profile } from './given.ts'
import type { Reply } from './http.ts'
import { epoch, type Members, payloadOf, tampered } from './jwt.ts'
import {
  agents,
  api,
  apiServer,
  exchange,
  first,
  handover,
  idToken,
  open,
  second,
  stranger,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

const PERSONAL = {
  name: 'Alice Example',
  email: 'alice@example.com',
  phone_number: '+1 555 0100',
  picture: 'https://idp.example/alice.png',
  address: { country: 'NZ' },
}

/** Handed on twice, from what the ID token said of the user and of who may act. */
async function handedOn(claims: Members): Promise<string> {
  const root = idToken({ claims })
  const one = tokenOf(await open({ resource: agents.second.endpoint }, {}, root))
  return tokenOf(await second.exchange(one, { resource: api.uri, scope: api.read }))
}

describe('a token', () => {
  verifies(
    ['8693-6-03', '7662-5-01'],
    'says nothing of a user that was not asked for, nor does introspection',
    async () => {
      const token = await handedOn(PERSONAL)
      const { json } = await apiServer.introspect(token)
      expect(json['active']).toBe(true)
      for (const told of [payloadOf(token), json]) {
        const names = [...Object.keys(PERSONAL), 'username', 'preferred_username']
        expect(names.filter((name) => name in told)).toEqual([])
        expect(JSON.stringify(told)).not.toContain('Alice')
      }
    },
  )

  verifies('8693-4.4-05', 'shows may_act as introspection does', async () => {
    const may_act = { sub: agents.first.client_id }
    const token = await handedOn({ may_act })
    expect((await apiServer.introspect(token)).json['may_act']).toEqual(payloadOf(token)['may_act'])
  })

  verifies('8693-2.1-23', 'lasts no longer because its input was renewed', async () => {
    const now = epoch()
    const resource = agents.second.endpoint
    const short = tokenOf(await open({ resource }, {}, idToken({ claims: { exp: now + 60 } })))
    const { exp } = payloadOf(short)
    const renewed = await open({ resource }, {}, idToken({ claims: { exp: now + 3000 } }))
    expect(renewed.status).toBe(200)
    const { json } = await first.introspect(short)
    expect([json['active'], json['exp']]).toEqual([true, exp])
  })

  verifies('PROF-25', 'is bound to what the answer says', async () => {
    const { json } = await exchange()
    const { cnf } = payloadOf(String(json['access_token']))
    if ('cnf' in json) expect(json['cnf']).toEqual(cnf)
  })
})

describe('a stranger', () => {
  verifies('PROF-23', 'is not told which of several faults a token has', async () => {
    const live = await handover()
    const revoked = await handover()
    await first.revoke(revoked)
    const foreign = idToken({ claims: { iss: profile.partner.issuer } })
    const tokens = { live, revoked, tampered: tampered(live), foreign, random: 'random' }
    /** All of an answer but what names that very answer. */
    const toldBy = ({ status, json }: Reply) => ({ status, json: { ...json, error_ref: '' } })
    for (const ask of [
      (token: string) => stranger.introspect(token),
      (token: string) => stranger.exchange(token, { resource: api.uri }),
    ]) {
      const first = toldBy(await ask(live))
      for (const [fault, token] of Object.entries(tokens)) {
        expect({ fault, ...toldBy(await ask(token)) }).toEqual({ fault, ...first })
      }
    }
  })
})
