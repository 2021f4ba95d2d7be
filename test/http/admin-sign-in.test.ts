/** Signing in to the management API: the operator by its key, people by their ID tokens; and what the first start leaves. */
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensureOperatorKey } from '../../server/operator-key.ts'
import { StartRefused } from '../../server/start-refused.ts'
import { expectRefusal } from '../attacks/refusal.ts'
import {
  AdminClient,
  GROUPS,
  grantRoles,
  MANAGEMENT_CLIENT,
  operatorForm,
  operatorKey,
} from '../support/admin-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { epoch, headerOf, newKey, payloadOf } from '../support/signing.ts'

const ADMINS = { groups: [GROUPS.admin] }

let server: TestServer
let client: AdminClient
beforeAll(async () => {
  server = await startAuthorizationServer({
    tenants: {
      acme: (documents) => {
        grantRoles(documents)
        documents.tenant['disabled_subjects'] = ['mallory']
        const roles = documents.tenant['roles'] as unknown[]
        roles.push({ role: 'reviewer', issuer: 'idp', claim: 'sub', value: 'rita' })
      },
      globex: () => {},
    },
  })
  client = new AdminClient(server.config.publicUrl)
})
afterAll(() => server.close())

describe('the operator', () => {
  test('gets a token of five minutes, bound to its key, for this API alone', async () => {
    const audience = `${server.config.publicUrl}/admin/v1`
    const answer = await client.signIn('/token', operatorForm(server))
    expect(answer.status, answer.text).toBe(200)
    expect(answer.body).toEqual({
      access_token: client.token,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'DPoP',
      expires_in: 300,
      scope: 'operator',
      cnf: { jkt: client.key.thumbprint },
    })
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(headerOf(client.token)).toEqual({
      alg: 'ES256',
      typ: 'manage+jwt',
      kid: expect.any(String),
    })
    const { iat } = payloadOf(client.token)
    expect(payloadOf(client.token)).toEqual({
      iss: audience,
      sub: 'operator',
      aud: audience,
      client_id: 'operator',
      scope: 'operator',
      iat: expect.any(Number),
      exp: iat + 300,
      jti: expect.any(String),
      cnf: { jkt: client.key.thumbprint },
    })
    const entry = server.audit().findLast(({ tenant }) => tenant === '_platform')
    expect(entry).toMatchObject({
      event: 'management',
      action: 'sign_in',
      outcome: 'permit',
      author: 'operator',
      jti: payloadOf(client.token)['jti'],
    })
  })

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['another audience', { aud: 'https://as.example' }],
    ['the issuer of a tenant as audience', { aud: 'tenant' }],
    ['two audiences', { aud: ['a', 'b'] }],
    ['another client', { iss: 'planner', sub: 'planner' }],
    ['another issuer than subject', { iss: 'planner' }],
    ['no id', { jti: undefined }],
    ['no end', { exp: undefined }],
    ['a long life', { exp: epoch() + 3600 }],
    ['an end in the past', { exp: epoch() - 60 }],
  ])('is refused with an assertion of %s', async (_, claims) => {
    const aud = claims['aud'] === 'tenant' ? { aud: server.issuer() } : {}
    const form = operatorForm(server, { ...claims, ...aud })
    await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
      client.signIn('/token', form),
    )
  })

  test('is refused with another key, a used assertion, a used proof, and without a proof', async () => {
    const reason = 'client_authentication_failed'
    const forged = operatorForm(server, {}, newKey())
    await expectRefusal(server, { reason, guard: 'assertion_signature_invalid' }, () =>
      client.signIn('/token', forged),
    )
    const form = operatorForm(server)
    expect((await client.signIn('/token', form)).status).toBe(200)
    await expectRefusal(server, { reason, guard: 'assertion_replayed' }, () =>
      client.signIn('/token', form),
    )
    await expectRefusal(server, { reason: 'proof_required' }, () =>
      client.signIn('/token', operatorForm(server), { proof: null }),
    )
    const headers = { dpop: client.proof('POST', `${client.publicUrl}/admin/v1/token`) }
    const first = await client.signIn('/token', operatorForm(server), { proof: null, headers })
    expect(first.status).toBe(200)
    await expectRefusal(server, { reason: 'proof_replayed' }, () =>
      client.signIn('/token', operatorForm(server), { proof: null, headers }),
    )
    await expectRefusal(server, { reason: 'proof_invalid', guard: 'proof_uri' }, () =>
      client.signIn('/token', operatorForm(server), { proof: { htu: `${server.issuer()}/token` } }),
    )
  })

  test('is refused with another grant, a wider scope, another target, or a parameter twice', async () => {
    const send = (more: Readonly<Record<string, string | string[]>>) => () =>
      client.signIn('/token', { ...operatorForm(server), ...more })
    await expectRefusal(server, { reason: 'grant_unsupported' }, send({ grant_type: 'password' }))
    await expectRefusal(
      server,
      { reason: 'scope_not_permitted' },
      send({ scope: 'operator admin' }),
    )
    await expectRefusal(server, { reason: 'target_not_permitted' }, send({ resource: 'https://x' }))
    await expectRefusal(server, { reason: 'request_malformed' }, send({ scope: ['a', 'b'] }))
    await expectRefusal(server, { reason: 'request_too_large' }, send({ x: 'x'.repeat(60_000) }))
    await expectRefusal(
      server,
      { reason: 'authorization_details_unsupported' },
      send({ authorization_details: '[]' }),
    )
  })

  test('has a key that only the server’s own user can read, and that stays', () => {
    const path = join(server.config.dataFolder, 'operator.jwk')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const before = readFileSync(path, 'utf8')
    expect(ensureOperatorKey(server.config.dataFolder)).toEqual({
      ...operatorKey(server).publicJwk,
    })
    expect(readFileSync(path, 'utf8')).toBe(before)
  })

  test('has no key that others can read', () => {
    const path = join(server.folder, 'operator.jwk')
    rmSync(path, { force: true })
    ensureOperatorKey(server.folder)
    chmodSync(path, 0o640)
    expect(() => ensureOperatorKey(server.folder)).toThrow(StartRefused)
    rmSync(path)
  })

  test('may keep the private half elsewhere; what is no key stops the start', () => {
    const folder = server.folder
    const path = join(folder, 'operator.jwk')
    const { publicJwk } = newKey()
    writeFileSync(path, JSON.stringify(publicJwk))
    const { kty, crv, x, y } = publicJwk
    expect(ensureOperatorKey(folder)).toEqual({ kty, crv, x, y })
    for (const text of ['', '{}', 'null', '{"kty":"oct","k":"AAAA"}']) {
      writeFileSync(path, text)
      expect(() => ensureOperatorKey(folder)).toThrow(StartRefused)
    }
  })
})

describe('a person', () => {
  test('gets a token of the tenant with the roles of its claims', async () => {
    const groups = [GROUPS.reviewer, GROUPS.helpdesk, 'others']
    const answer = await client.signInPerson(
      'acme',
      server.idToken('dave', MANAGEMENT_CLIENT, { groups }),
    )
    expect(answer.status, answer.text).toBe(200)
    expect(payloadOf(client.token)).toMatchObject({
      iss: server.issuer(),
      sub: 'dave',
      sub_from: 'idp',
      aud: `${server.config.publicUrl}/admin/v1`,
      client_id: MANAGEMENT_CLIENT,
      scope: 'helpdesk reviewer',
      tenant: 'acme',
      cnf: { jkt: client.key.thumbprint },
    })
  })

  test('has a role by the issuer’s own name for them', async () => {
    const answer = await client.signInPerson('acme', server.idToken('rita', MANAGEMENT_CLIENT))
    expect(answer.body).toMatchObject({ scope: 'reviewer' })
    const other = server.idToken('dave', MANAGEMENT_CLIENT)
    await expectRefusal(server, { reason: 'role_required' }, () =>
      client.signInPerson('acme', other),
    )
  })

  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['for an agent', { aud: 'planner' }, 'audience_mismatch'],
    ['for several', { aud: [MANAGEMENT_CLIENT, 'planner'] }, 'audience_mismatch'],
    ['handed to another client', { azp: 'planner' }, 'azp_mismatch'],
    ['that is delegated', { act: { sub: 'planner' } }, 'token_delegated'],
    ['of an unknown issuer', { iss: 'https://other.example' }, 'issuer_untrusted'],
    ['without an end', { exp: undefined }, 'times_malformed'],
    ['of the future', { iat: epoch() + 600 }, 'issued_in_future'],
  ])('is refused with an ID token %s', async (_, claims, guard) => {
    const idToken = server.idToken('dave', MANAGEMENT_CLIENT, { ...ADMINS, ...claims })
    await expectRefusal(server, { reason: 'subject_token_unacceptable', guard }, () =>
      client.signInPerson('acme', idToken),
    )
  })

  test('is refused once the ID token is over, or they are disabled', async () => {
    const old = server.idToken('dave', MANAGEMENT_CLIENT, { ...ADMINS, exp: epoch() - 1 })
    await expectRefusal(server, { reason: 'subject_token_expired' }, () =>
      client.signInPerson('acme', old),
    )
    const disabled = server.idToken('mallory', MANAGEMENT_CLIENT, ADMINS)
    await expectRefusal(server, { reason: 'subject_inactive' }, () =>
      client.signInPerson('acme', disabled),
    )
  })

  test('signs in at no tenant that names no management client, and at none that is not there', async () => {
    const idToken = server.idToken('dave', MANAGEMENT_CLIENT, ADMINS)
    await expectRefusal(
      server,
      { reason: 'subject_token_unacceptable', guard: 'management_client_missing' },
      () => client.signInPerson('globex', idToken),
    )
    const answer = await client.signInPerson('nobody', idToken)
    expect(answer.body).toMatchObject({ status: 404, reason: 'not_found' })
  })

  test('is told what is missing', async () => {
    await expectRefusal(server, { reason: 'parameter_missing' }, () =>
      client.signInPerson('acme', ''),
    )
    await expectRefusal(server, { reason: 'grant_unsupported' }, () =>
      client.signInPerson('acme', 'x', { grant_type: 'client_credentials' }),
    )
    const get = await client.get('/token')
    expect(get.status).toBe(405)
    expect(get.headers.get('allow')).toBe('POST')
  })
})
