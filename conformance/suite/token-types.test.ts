/** RFC 8693 §2.2.2 and §3: tokens of each type that is taken, and the code of each thing that is wrong. */
import { describe, expect } from 'vitest'
import { ACCESS_TOKEN, ID_TOKEN, JWT } from './client.ts'
import type { Reply } from './http.ts'
import { newKey, tampered } from './jwt.ts'
import { agents, exchange, expectError, first, idToken, newId, subject } from './scenario.ts'
import { verifies } from './verifies.ts'

const SAML = ['saml1', 'saml2'].map((name) => `urn:ietf:params:oauth:token-type:${name}`)
const assertionLike = Buffer.from('<saml:Assertion/>').toString('base64url')

describe('each type', () => {
  verifies('8693-3-02', 'is what it names', async () => {
    const resource = agents.second.endpoint
    const rooted = (subject_token_type: string, token = idToken()): Promise<Reply> =>
      first.exchange(token, { subject_token_type, resource })
    expect((await rooted(ID_TOKEN)).status).toBe(200)
    expect((await rooted(JWT)).status).toBe(200)
    expect((await exchange({ subject_token_type: ACCESS_TOKEN })).status).toBe(200)
    expectError(await rooted(ACCESS_TOKEN), 'invalid_request')
    expectError(await rooted(ID_TOKEN, await subject()), 'invalid_request')
    expectError(await rooted(ID_TOKEN, first.assertion()), 'invalid_request')
    expectError(await rooted(JWT, 'opaque'), 'invalid_request')
    for (const type of SAML) expectError(await rooted(type, assertionLike), 'invalid_request')
  })
})

describe('an error', () => {
  verifies(
    '8693-2.2.2-06',
    'has the code of what is wrong',
    async () => {
      const cases: readonly (readonly [string, number, Promise<Reply>])[] = [
        ['invalid_client', 401, exchange({}, { assertionKey: newKey() })],
        ['invalid_scope', 400, exchange({ scope: newId() })],
        ['invalid_target', 400, exchange({ resource: 'https://unknown.example' })],
        ['invalid_dpop_proof', 400, exchange({}, { proof: { htm: 'GET' } })],
        ['invalid_request', 400, exchange({ subject_token: tampered(await subject()) })],
        ['unsupported_grant_type', 400, exchange({ grant_type: 'urn:example:x' })],
      ]
      for (const [error, status, reply] of cases) expectError(await reply, error, status, error)
    },
    ['exchange', 'keys', 'proofs'],
  )

  verifies(
    '8693-2.2.2-05',
    'explains, and repeats nothing',
    async () => {
      const good = await subject()
      const replies = [
        await exchange({ subject_token: `${good.slice(0, -8)}AAAAAAAA` }),
        await exchange({ actor_token: good, actor_token_type: 'urn:example:x' }),
        await exchange({ actor_token: `${good}x`, actor_token_type: ACCESS_TOKEN }),
        await exchange({ resource: 'https://unknown.example' }),
      ]
      for (const { status, text, headers } of replies) {
        expect(status).toBeGreaterThanOrEqual(400)
        const told = text + JSON.stringify(headers)
        for (const part of good.split('.')) expect(told).not.toContain(part.slice(0, 40))
      }
    },
    ['exchange'],
  )
})
