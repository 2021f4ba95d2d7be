/** RFC 9068 §5 and RFC 8414 §4: names that look like others are others, and nobody takes a name that is taken. */
import { describe, expect } from 'vitest'
import { payloadOf } from './jwt.ts'
import { present } from './played-resource-server.ts'
import { agents, api, expectError, idToken, open, ownToken, second } from './scenario.ts'
import { hasVectors, vector, vectorProfile } from './vectors-issuer.ts'
import { verifies } from './verifies.ts'

/** The same text in letters that a compatibility form (NFKC) folds into these. */
const fullWidth = (text: string): string =>
  text.replace(/[a-z]/g, (letter) => String.fromCodePoint(letter.charCodeAt(0) + 0xfee0))

describe.runIf(hasVectors)('a resource server', () => {
  const { issuer, server } = vectorProfile()

  verifies(
    '8414-4-01',
    'compares names as they are spelt',
    async () => {
      const last = (url: string): string => url.replace(/[^/]+$/, fullWidth)
      const spelt = [
        { iss: last(issuer) },
        { iss: `${issuer}\u0300` },
        { iss: issuer.replace('/good', '/go\u006f\u0308d') },
        { aud: last(server.uri) },
        { aud: `${server.uri}\u200b` },
        { scope: fullWidth(server.scope) },
      ]
      for (const claims of spelt) {
        const { status } = await present(vector(claims))
        expect([401, 403]).toContain(status)
      }
    },
    [],
  )
})

describe('a client', () => {
  verifies('9068-5-02', 'is no subject, and no subject is a client', async () => {
    const own = payloadOf(await ownToken())
    expect(own['sub']).toBe(own['client_id'])
    for (const { client_id: sub } of Object.values(agents)) {
      expectError(await open({}, {}, idToken({ claims: { sub } })), 'invalid_request', 400, sub)
    }
    // What it says of itself changes nothing.
    const fault = { assertion: { client_id: 'alice', username: 'alice' } }
    const reply = await second.alone({ resource: api.uri, sub: 'alice', username: 'alice' }, fault)
    if (reply.status === 200) {
      expect(payloadOf(String(reply.json['access_token']))['sub']).toBe(second.id)
    }
  })
})
