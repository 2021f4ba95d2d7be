/** Threat C05: tokens of agents do nothing at the management API, tokens of the management API nothing anywhere else. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createVerifier, VerificationError } from '../../lib/src/index.ts'
import { AdminClient, MANAGEMENT_CLIENT, operatorOf, personOf } from '../support/admin-client.ts'
import { ACCESS_TOKEN, ID_TOKEN, JWT_TYPE } from '../support/agent-client.ts'
import { headerOf, newKey, payloadOf } from '../support/signing.ts'
import { type Stage, setStage } from './fixture.ts'
import { expectRefusal } from './refusal.ts'

let stage: Stage
let operator: AdminClient
let admin: AdminClient
beforeAll(async () => {
  stage = await setStage()
  operator = await operatorOf(stage.server)
  admin = await personOf(stage.server, 'acme', 'admin')
})
afterAll(() => stage.close())

/** A client that presents `token` with a good proof by the key it is bound to. */
function presenting(token: string, key = stage.planner.proofKey): AdminClient {
  const client = new AdminClient(stage.server.config.publicUrl)
  Object.assign(client, { token, key })
  return client
}

const PATHS = ['/tenants', '/tenants/acme', '/tenants/acme/agents', '/tenants/acme/versions/live']

describe('C05 at the management API', () => {
  test('C05 refuses every token of the data plane, with a good proof and without', async () => {
    const { planner, server } = stage
    const tokens = [
      await stage.first(),
      await stage.own(planner),
      server.idToken('dave', MANAGEMENT_CLIENT, { groups: ['identity-team'] }),
      server.idToken('alice', 'planner'),
      stage.partnerToken(),
      planner.assertion({ assertion: { aud: `${server.config.publicUrl}/admin/v1` } }),
      planner.proof(),
    ]
    for (const token of tokens) {
      const client = presenting(token)
      for (const path of PATHS) {
        const answer = await client.get(path)
        expect(answer.status).toBe(401)
        expect(answer.body).toMatchObject({ reason: 'token_unacceptable' })
        expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
      }
      expect((await client.put('/tenants/acme/agents/coder', { disabled: true })).status).toBe(401)
    }
  })

  test('C05 refuses a management token under Bearer, without a proof, and with the proof of another key', async () => {
    for (const client of [operator, admin]) {
      const path = '/tenants/acme'
      const reasons = [
        await client.get(path, { authorization: null }),
        await client.get(path, { authorization: `Bearer ${client.token}` }),
        await client.get(path, { authorization: `Basic ${btoa('operator:x')}` }),
        await client.get(path, { proof: null }),
        await client.get(path, { proofKey: newKey() }),
        await client.get(path, { proof: { ath: 'x' } }),
        await client.get(path, { proof: { ath: undefined } }),
        await client.get(path, { proof: { htm: 'POST' } }),
        await client.get(path, { proof: { htu: `${client.publicUrl}/admin/v1/tenants` } }),
      ].map(({ status, body }) => `${status} ${String(body['reason'])}`)
      expect(reasons).toEqual([
        '401 token_required',
        '401 token_required',
        '401 token_required',
        '401 proof_required',
        ...Array.from({ length: 5 }, () => '401 proof_invalid'),
      ])
      expect((await client.get(path)).status).toBe(200)
    }
  })

  test('C05 a proof works once', async () => {
    const url = `${admin.publicUrl}/admin/v1/tenants/acme`
    const headers = { dpop: admin.proof('GET', url) }
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => admin.get('/tenants/acme', { proof: null, headers })),
    )
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 401, 401, 401,
    ])
    const [loser] = answers.filter(({ status }) => status === 401)
    expect(loser?.body).toMatchObject({ reason: 'proof_replayed' })
  })

  test.each<[string, Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>]>([
    ['of another type', { typ: 'at+jwt' }, {}],
    ['of no type', { typ: undefined }, {}],
    ['of another audience', {}, { aud: 'https://files.api' }],
    ['of several audiences', {}, { aud: ['x'] }],
    ['of another issuer', {}, { iss: 'https://as.example' }],
    ['of another tenant', {}, { tenant: 'globex' }],
    ['of no tenant', {}, { tenant: undefined }],
    [
      'that makes itself the operator',
      {},
      { tenant: undefined, sub: 'operator', scope: 'operator' },
    ],
    ['with the role of the operator', {}, { scope: 'operator' }],
    ['with a role nobody knows', {}, { scope: 'admin root' }],
    ['without a role', {}, { scope: '' }],
    ['without a key', {}, { cnf: undefined }],
    ['of another client', {}, { client_id: 'planner' }],
    ['of a longer life', {}, { exp: 4_000_000_000 }],
    ['without an end', {}, { exp: undefined }],
    ['of a disabled subject', {}, { sub: 'mallory' }],
    ['of another issuer of people', {}, { sub_from: 'partner' }],
  ])(
    'C05 refuses a management token %s, signed by the tenant itself',
    async (_, header, claims) => {
      const real = { header: headerOf(admin.token), payload: payloadOf(admin.token) }
      expect(real.header).toMatchObject({ typ: 'manage+jwt' })
      const signed = await stage.signAsTenant(real.header, real.payload)
      expect((await presenting(signed, admin.key).get('/tenants/acme')).status).toBe(200)
      const forged = await stage.signAsTenant(
        { ...real.header, ...header },
        { ...real.payload, ...claims },
      )
      const answer = await presenting(forged, admin.key).get('/tenants/acme')
      expect(answer.status).toBe(401)
      expect(answer.body).toMatchObject({ reason: 'token_unacceptable' })
    },
  )

  test('C05 a tenant’s key signs no operator', async () => {
    const forged = await stage.signAsTenant(
      { ...headerOf(operator.token), kid: headerOf(admin.token)['kid'] },
      payloadOf(operator.token),
    )
    expect((await presenting(forged, operator.key).get('/tenants')).status).toBe(401)
  })

  test('C05 refuses a management token that is over', async () => {
    const { iat, ...payload } = payloadOf(admin.token)
    const old = { ...payload, iat: iat - 301, exp: iat - 1 }
    const expired = await stage.signAsTenant(headerOf(admin.token), old)
    const answer = await presenting(expired, admin.key).get('/tenants/acme')
    expect(answer.body).toMatchObject({ status: 401, reason: 'token_expired' })
  })
})

describe('C05 away from the management API', () => {
  test('C05 refuses a management token as subject, as actor and as assertion', async () => {
    const { server, planner, researcher } = stage
    const first = await stage.first()
    for (const { token } of [operator, admin]) {
      for (const subject_token_type of [ACCESS_TOKEN, ID_TOKEN, JWT_TYPE]) {
        const reason = 'subject_token_unacceptable'
        await expectRefusal(server, { reason }, () =>
          planner.exchange(token, { subject_token_type }),
        )
      }
      const actor = { actor_token: token, actor_token_type: ACCESS_TOKEN }
      const reason = 'actor_token_unacceptable'
      await expectRefusal(server, { reason }, () => researcher.exchange(first, actor))
      await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
        planner.token({ grant_type: 'client_credentials', client_assertion: token }),
      )
    }
  })

  test('C05 introspects and revokes none, whoever asks', async () => {
    const { planner, server } = stage
    for (const { token } of [operator, admin]) {
      for (const client of [planner, server.client('files-api')]) {
        expect((await client.introspect(token)).text).toBe('{"active":false}')
        await client.revoke(token)
      }
    }
    expect((await admin.get('/tenants/acme')).status).toBe(200)
  })

  test('C05 is refused by a resource server', async () => {
    const { server } = stage
    const url = 'https://files.api/x'
    const verifier = createVerifier({
      revocation: 'off',
      issuer: server.issuer(),
      audience: `${server.config.publicUrl}/admin/v1`,
      allowInsecureLoopback: true,
    })
    for (const client of [operator, admin]) {
      const proof = client.proof('GET', url, {})
      const { token } = client
      const presented = { token, proof, method: 'GET', url }
      await expect(verifier.verify(presented, { scope: 'admin' })).rejects.toThrow(
        VerificationError,
      )
    }
  })

  test('C05 an ID token of the management client opens no task, one of an agent’s client signs nobody in', async () => {
    const { server, planner } = stage
    const groups = { groups: ['identity-team'] }
    const idToken = server.idToken('dave', MANAGEMENT_CLIENT, groups)
    await expectRefusal(server, { reason: 'subject_token_unacceptable' }, () =>
      planner.open(idToken),
    )
    const client = new AdminClient(server.config.publicUrl)
    const sent = [
      server.idToken('dave', 'planner', groups),
      server.idToken('dave', MANAGEMENT_CLIENT, { ...groups, aud: [MANAGEMENT_CLIENT, 'planner'] }),
      server.idToken('dave', MANAGEMENT_CLIENT, { ...groups, azp: 'planner' }),
      server.idToken('dave', MANAGEMENT_CLIENT, { ...groups, act: { sub: 'planner' } }),
      await stage.first(),
      admin.token,
    ]
    for (const token of sent) {
      await expectRefusal(server, { reason: 'subject_token_unacceptable' }, () =>
        client.signInPerson('acme', token),
      )
    }
    const first = await stage.first()
    await expectRefusal(server, { reason: 'token_type_unsupported' }, () =>
      client.signInPerson('acme', first, { subject_token_type: ACCESS_TOKEN }),
    )
    const actor = { actor_token: first, actor_token_type: ACCESS_TOKEN }
    await expectRefusal(server, { reason: 'actor_token_unacceptable' }, () =>
      client.signInPerson('acme', idToken, actor),
    )
  })
})
