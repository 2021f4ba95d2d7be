/** The main job over real HTTP: a user's token in, three agents, and a token any resource server can check. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createVerifier } from '../../lib/src/index.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { bareJwk, encode, epoch, payloadOf, signJwt } from '../support/signing.ts'

let server: TestServer
beforeAll(async () => {
  server = await startAuthorizationServer()
})
afterAll(() => server.close())

async function threeHops() {
  const [planner, researcher, coder] = ['planner', 'researcher', 'coder'].map((id) =>
    server.client(id),
  )
  const first = await planner!.open(server.idToken(), { audience: 'researcher-a2a' })
  const second = await researcher!.exchange(first.body['access_token'], {
    audience: 'coder-a2a',
    scope: 'files:read files:write',
  })
  const third = await coder!.exchange(second.body['access_token'], {
    resource: 'https://files.api',
    scope: 'files:read',
  })
  return { planner, researcher, coder, first, second, third }
}

describe('three hops', () => {
  test('each hop narrows, binds to its holder and nests the chain whole', async () => {
    const { first, second, third, coder } = await threeHops()
    expect([first.body, second.body, third.body].map((body) => body['reason'])).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect([first.status, second.status, third.status]).toEqual([200, 200, 200])
    const [one, two, three] = [first, second, third].map(({ body }) =>
      payloadOf(body['access_token']),
    )
    expect(three!['act']).toEqual({ ...actor('coder'), act: two!['act'] })
    expect(two!['act']).toEqual({ ...actor('researcher'), act: one!['act'] })
    expect(one!['act']).toEqual(actor('planner'))
    expect(three!['act_bounds']['hops'].slice(1)).toEqual(two!['act_bounds']['hops'])
    expect(three).toMatchObject({
      sub: 'alice',
      aud: 'https://files.api',
      client_id: 'coder',
      scope: 'files:read',
    })
    expect(third.body).toEqual({
      access_token: third.body['access_token'],
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'DPoP',
      expires_in: expect.any(Number),
      scope: 'files:read',
      cnf: { jkt: coder!.proofKey.thumbprint },
    })
  })

  test('the last token proves itself to a resource server that has only the verifier', async () => {
    const { third, coder } = await threeHops()
    const token: string = third.body['access_token']
    const verifier = createVerifier({
      revocation: 'off',
      issuer: server.issuer(),
      audience: 'https://files.api',
      allowInsecureLoopback: true,
    })
    const ath = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(token))).toString(
      'base64url',
    )
    const proof = signJwt(
      coder!.proofKey,
      { alg: 'ES256', typ: 'dpop+jwt', jwk: bareJwk(coder!.proofKey) },
      {
        jti: encode(String(Math.random())),
        htm: 'GET',
        htu: 'https://files.api/files',
        iat: epoch(),
        ath,
      },
    )
    const report = await verifier.verify(
      { token, proof, method: 'GET', url: 'https://files.api/files' },
      { scope: 'files:read' },
    )
    expect(report.subject).toBe('alice')
    expect(report.actor?.sub).toBe('coder')
  })

  test('every decision is on record once, with the whole chain', async () => {
    const { third } = await threeHops()
    const { jti } = payloadOf(third.body['access_token'])
    const entries = server.audit().filter((entry) => entry['jti'] === jti)
    expect(entries).toHaveLength(1)
    expect(entries[0]).toMatchObject({
      outcome: 'permit',
      client: 'coder',
      subject: 'alice',
      way_in: 'recipient',
      chain: ['planner', 'researcher', 'coder'],
      scope_before: ['files:read', 'files:write'],
      scope_requested: ['files:read'],
      scope_after: ['files:read'],
    })
  })
})

function actor(sub: string): Record<string, string> {
  return { sub, iss: server.issuer(), sub_profile: 'ai_agent' }
}
