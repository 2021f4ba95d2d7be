/** RFC 8693 §2.1, RFC 8707 and RFC 9068 §3: what a token is for, and that it is for one thing. */
import { describe, expect } from 'vitest'
import { profile } from './given.ts'
import { type Reply, send } from './http.ts'
import { payloadOf } from './jwt.ts'
import {
  api,
  claimsOf,
  exchange,
  expectError,
  otherApi,
  second,
  subject,
  tokenOf,
} from './scenario.ts'
import { hasVectors, vector, vectorProfile } from './vectors-issuer.ts'
import { verifies } from './verifies.ts'

const { queried } = profile

describe('a resource', () => {
  if (queried !== undefined) {
    verifies('8693-2.1-13', 'may have a query, which is part of its name', async () => {
      expect(claimsOf(await second.alone({ resource: queried }))['aud']).toBe(queried)
      const [bare = ''] = queried.split('?')
      const others = [bare, `${bare}?`, `${queried}1`, `${queried}&x=1`, `${bare}?x=1`]
      for (const resource of [...others, `${api.uri}?t=1`]) {
        expectError(await second.alone({ resource }), 'invalid_target', 400, resource)
      }
    })
  }

  verifies(
    '8693-2.1.1-02',
    'too many of them are a bad target',
    async () => {
      const resource = Array.from({ length: 20 }, (_, at) => `${api.uri}/${at}`)
      expectError(await exchange({ resource }), 'invalid_target')
    },
    ['exchange', 'resource'],
  )
})

describe('without a resource', () => {
  /** One audience, and scopes that its resource knows. */
  function expectOneMeaning(reply: Reply): void {
    const { aud, scope } = payloadOf(tokenOf(reply))
    const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
    expect(audiences).toHaveLength(1)
    const names = String(scope ?? '').split(' ')
    if (audiences[0] === api.uri) expect(names).not.toContain(otherApi.scope)
    if (audiences[0] === otherApi.uri) expect(names).not.toContain(api.read)
  }

  verifies('9068-3-02', 'nothing is left open', async () => {
    const scopes = [undefined, api.read, otherApi.scope, `${api.read} ${otherApi.scope}`]
    for (const scope of scopes) {
      const replies = [
        await second.exchange(await subject(), { scope }),
        await second.alone({ scope }),
      ]
      for (const reply of replies) {
        if (reply.status === 200) expectOneMeaning(reply)
        else expect(['invalid_scope', 'invalid_target']).toContain(reply.json['error'])
      }
    }
  })

  verifies(
    '9068-3-04',
    'scopes of two resources are invalid_scope, or one knows both',
    async () => {
      const scope = `${api.read} ${otherApi.scope}`
      for (const reply of [
        await second.exchange(await subject(), { scope }),
        await second.alone({ scope }),
      ]) {
        if (reply.status === 200) expectOneMeaning(reply)
        else expectError(reply, 'invalid_scope')
      }
      // With one of them named, the other's scope is refused.
      for (const resource of [api.uri, otherApi.uri]) {
        expectError(await second.alone({ scope, resource }), 'invalid_scope')
      }
    },
  )
})

describe.runIf(hasVectors)('a resource server', () => {
  verifies(
    '8707-3-01',
    'takes no token for what is above, beneath or beside it',
    async () => {
      const { uri } = vectorProfile().server
      const { origin, pathname } = new URL(uri)
      const others = [`${uri}/t1`, `${uri}/files`, origin, `${origin}/`, `${origin}/t2`, `${uri}2`]
      for (const aud of [...others, `${uri}/../t2${pathname}`, `${uri}?t=1`]) {
        const authorization = `Bearer ${vector({ aud })}`
        const reply = await send(`${uri}/files`, { headers: { authorization } })
        const { status, json } = reply
        expect({ aud, status, error: json['error'] }).toEqual({
          aud,
          status: 401,
          error: 'invalid_token',
        })
      }
    },
    [],
  )
})
