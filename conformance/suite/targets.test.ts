/** RFC 8693 §2.1, RFC 8707 and RFC 9068 §3: what a token is for, and that it is for one thing. */
import { describe, expect } from 'vitest'
import { profile } from './given.ts'
import type { Reply } from './http.ts'
import { payloadOf } from './jwt.ts'
import { refused } from './played-resource-server.ts'
import {
  agents,
  api,
  claimsOf,
  exchange,
  expectError,
  isReadable,
  isWhole,
  open,
  otherApi,
  second,
  subject,
  tokenOf,
} from './scenario.ts'
import { hasVectors, vector, vectorProfile } from './vectors-issuer.ts'
import { verifies } from './verifies.ts'

const { queried } = profile

/** Both are served, where the answer or the token says so, or the request is refused as a target. */
function expectBothOrNone(reply: Reply, other: string): void {
  const token = String(reply.json['access_token'] ?? '')
  const audience: unknown = isReadable(token) ? payloadOf(token)['aud'] : reply.json['resource']
  const isBoth = Array.isArray(audience) && audience.length === 2 && audience.includes(other)
  if (isWhole || !isBoth) expectError(reply, 'invalid_target')
}

describe('targets', () => {
  verifies(
    ['8693-2.1-11', '8707-2-01'],
    'a resource is an absolute URI',
    async () => {
      const names = ['/api', 'api.example', '//api.example/x', 'https//api.example', '?x', ' ']
      for (const resource of names) {
        expectError(await exchange({ resource }), 'invalid_target', 400, resource)
        if (isWhole) expectError(await second.alone({ resource }), 'invalid_target')
      }
      if (!isWhole) return
      // RFC 6749 §3.2: without a value it is as if it were not sent.
      const reply = await open({ resource: '' })
      expect(claimsOf(reply)['aud']).toBe(claimsOf(await open())['aud'])
    },
    ['exchange', 'resource'],
  )

  verifies(
    ['8693-2.1-12', '8707-2-02'],
    'a resource has no fragment',
    async () => {
      for (const ending of ['#x', '#', '?#', '/#']) {
        expectError(
          await exchange({ resource: `${api.uri}${ending}` }),
          'invalid_target',
          400,
          ending,
        )
      }
    },
    ['exchange', 'resource'],
  )

  verifies(
    ['8693-2.1-14', '8707-2-05', '9700-2.3-01'],
    'two resources are refused as a target',
    async () => {
      expectBothOrNone(await exchange({ resource: [api.uri, otherApi.uri] }), otherApi.uri)
      if (!isWhole) return
      expectError(await exchange({ resource: [api.uri, api.uri] }), 'invalid_target')
      expectError(await second.alone({ resource: [api.uri, otherApi.uri] }), 'invalid_target')
    },
    ['exchange', 'two_resources'],
  )

  verifies(
    '8693-2.1-15',
    'two audiences are refused as a target',
    async () => {
      const audience = [api.name, otherApi.name]
      expectBothOrNone(await exchange({ resource: undefined, audience }), otherApi.name)
    },
    ['exchange', 'two_audiences'],
  )

  verifies(
    '8693-2.1-16',
    'audience and resource agree, or it is refused',
    async () => {
      expect(claimsOf(await exchange({ audience: api.name }))['aud']).toBe(api.uri)
      expectError(await exchange({ audience: otherApi.name }), 'invalid_target')
    },
    ['exchange', 'resource', 'two_audiences', 'jwt'],
  )

  verifies(
    ['8693-2.2.2-04', '8707-2-03'],
    'an unknown or closed target is invalid_target',
    async () => {
      for (const [what, place] of Object.entries({
        resource: { resource: 'https://unknown.example', audience: undefined },
        audience: { resource: undefined, audience: 'unknown' },
      })) {
        expectError(await exchange(place), 'invalid_target', 400, what)
      }
      if (!isWhole) return
      expectError(await exchange({ resource: agents.stranger.endpoint }), 'invalid_target')
    },
    ['exchange'],
  )

  verifies(
    '8707-2-07',
    'a slash more is another resource',
    async () => {
      expectError(await exchange({ resource: `${api.uri}/` }), 'invalid_target')
    },
    ['exchange', 'resource'],
  )
})

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
        await refused(vector({ aud }), aud)
      }
    },
    [],
  )
})
