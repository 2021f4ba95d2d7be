/** Threats E of JWT-SVIDs: a workload is who its own trust domain says, for this server, now. And what its bundle may do to us. */
import { createHmac, createPublicKey } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { ASSERTION_TYPE } from '../support/agent-client.ts'
import { bareJwk, encode, epoch, newKey } from '../support/signing.ts'
import { type Members, PARTNERS, PROD, svid, svidKey } from './platform.ts'
import { expectGranted, expectRefusal, expectRefused } from './refusal.ts'
import { FAILED, setWorkloadStage, type WorkloadStage } from './workload-stage.ts'

let stage: WorkloadStage
beforeAll(async () => {
  stage = await setWorkloadStage()
})
afterAll(() => stage.close())

/** Refused, by the guard named. */
async function expectSvidRefused(text: string, guard: string | RegExp): Promise<void> {
  const { server, planner } = stage
  await expectRefusal(server, { reason: FAILED, guard }, () => planner.work(text))
}

describe('E05 what a JWT-SVID says', () => {
  test('E05 one as SPIRE writes it is taken, and goes on record by its SPIFFE ID', async () => {
    const { server, planner } = stage
    const claims = await expectGranted(server, () => planner.work())
    expect(claims).toMatchObject({ client_id: 'planner', sub: 'planner' })
    expect(server.audit().at(-1)).toMatchObject({
      client_auth: 'spiffe_jwt',
      credential: `spiffe://${PROD}/agents/planner`,
    })
  })

  test.each<[string, Members, Members]>([
    ['the audience as a text', {}, {}],
    ['iss and jti', { iss: 'https://oidc.prod.acme.example', jti: 'x-1' }, {}],
    ['an iss that reads as the other trust domain', { iss: `spiffe://${PARTNERS}` }, {}],
    ['no typ', {}, { typ: undefined }],
    ['typ JOSE', {}, { typ: 'JOSE' }],
    ['claims of its own', { roles: ['x'], nbf: 1 }, {}],
  ])('E05 takes one with %s', async (_, claims, header) => {
    const { server, planner } = stage
    const aud = server.issuer()
    await expectGranted(server, () => planner.work(planner.token({ aud, ...claims }, header)))
  })

  test.each([
    `spiffe://${PROD}`,
    `spiffe://${PROD}/`,
    `spiffe://${PROD}/agents/planner/`,
    `spiffe://${PROD}//agents/planner`,
    `spiffe://${PROD}/agents/./planner`,
    `spiffe://${PROD}/agents/x/../planner`,
    `spiffe://${PROD}/..`,
    `spiffe://${PROD}/agents/%70lanner`,
    `spiffe://${PROD}/agents/planner?x=1`,
    `spiffe://${PROD}/agents/planner#x`,
    `spiffe://${PROD}:443/agents/planner`,
    `spiffe://user@${PROD}/agents/planner`,
    `spiffe://${PROD.toUpperCase()}/agents/planner`,
    `SPIFFE://${PROD}/agents/planner`,
    `https://${PROD}/agents/planner`,
    `spiffe:${PROD}/agents/planner`,
    'spiffe:///agents/planner',
    `spiffe://${PROD}/agents/planner\u0000`,
    `spiffe://${PROD}/agents/pl\u0430nner`,
    `spiffe://${PROD}/${'a'.repeat(2048)}`,
    'planner',
    '',
    7,
    null,
    undefined,
    [`spiffe://${PROD}/agents/planner`],
  ])('E05 refuses the subject %j', async (sub) => {
    await expectSvidRefused(stage.planner.token({ sub }), 'assertion_subject')
  })

  test.each([
    `spiffe://${PROD}/agents/coder`,
    `spiffe://${PROD}/agents/Planner`,
    `spiffe://${PROD}/agents/planner/x`,
    `spiffe://${PROD}/agents`,
    `spiffe://${PROD}/agents/*`,
  ])('E05 refuses the well-formed or nearly so, and unregistered %s', async (sub) => {
    await expectSvidRefused(stage.planner.token({ sub }), /^(?:client_unknown|assertion_subject)$/)
  })

  test('E05 a `/*` is whole segments, at least one', async () => {
    const { server, rogue } = stage
    const of = (path: string): string => rogue.token({ sub: `spiffe://${PARTNERS}${path}` })
    for (const path of ['/fleet/a', '/fleet/a/b', '/fleet/planner']) {
      await expectGranted(server, () => rogue.work(of(path)))
    }
    for (const path of ['/fleet', '/fleetx/a', '/Fleet/a', '/x/fleet/a']) {
      const unknown = { reason: FAILED, guard: 'client_unknown' } as const
      await expectRefusal(server, unknown, () => rogue.work(of(path)))
    }
  })

  test.each<[string, (issuer: string) => unknown]>([
    ['no audience', () => undefined],
    ['an empty list', () => []],
    ['another server', () => ['https://as.evil.example']],
    ['the token endpoint', (issuer) => [`${issuer}/token`]],
    ['this server and another', (issuer) => [issuer, 'https://as.evil.example']],
    ['this server twice', (issuer) => [issuer, issuer]],
    ['another tenant', (issuer) => issuer.replace('acme', 'globex')],
    ['a list in a list', (issuer) => [[issuer]]],
    ['an object', (issuer) => ({ 0: issuer })],
  ])('E05 refuses %s as the audience', async (_, aud) => {
    const { server, planner } = stage
    await expectSvidRefused(planner.token({ aud: aud(server.issuer()) }), 'assertion_audience')
  })

  test.each<[string, () => Members]>([
    ['no exp', () => ({ exp: undefined })],
    ['an exp that has passed', () => ({ exp: epoch() - 10 })],
    ['an exp beyond what the trust domain may', () => ({ exp: epoch() + 330 })],
    ['exp in the year 2300', () => ({ exp: 10_413_792_000 })],
    ['exp as a text', () => ({ exp: String(epoch() + 60) })],
    ['exp 1e300', () => ({ exp: 1e300 })],
    ['a negative exp', () => ({ exp: -1 })],
    ['nbf in the future', () => ({ nbf: epoch() + 60 })],
    ['iat in the future', () => ({ iat: epoch() + 60 })],
    ['iat as a text', () => ({ iat: String(epoch()) })],
  ])('E04 and E05 refuse one with %s', async (_, claims) => {
    const times = /^assertion_(?:expiry|expired|not_yet_valid)$/
    await expectSvidRefused(stage.planner.token(claims()), times)
  })

  test('E05 client_id is left out, the agent or the SPIFFE ID, and nothing else', async () => {
    const { server, planner } = stage
    const id = `spiffe://${PROD}/agents/planner`
    for (const client_id of ['', 'planner', id]) {
      await expectGranted(server, () => planner.work(planner.token(), { client_id }))
    }
    for (const client_id of ['rogue', 'keyed', 'nobody', `${id}/`, PROD]) {
      const mismatch = { reason: FAILED, guard: 'client_id_mismatch' } as const
      await expectRefusal(server, mismatch, () => planner.work(planner.token(), { client_id }))
    }
  })
})

describe('E05 who signed it', () => {
  test('E05 refuses another trust domain signed by our bundle key, and ours by theirs', async () => {
    const { platform, planner, rogue, server } = stage
    const aud = [server.issuer()]
    const theirs = `spiffe://${PARTNERS}/fleet/rogue-0`
    const invalid = 'assertion_signature_invalid'
    // Both bundles have a key `k1`: the kid decides nothing.
    await expectSvidRefused(svid(platform.authority, { aud, sub: theirs }), invalid)
    await expectSvidRefused(svid(platform.partners, { aud }), invalid)
    const iss = `spiffe://${PARTNERS}`
    await expectSvidRefused(svid(platform.partners, { aud, iss }), invalid)
    await expectGranted(server, () => planner.work())
    await expectGranted(server, () => rogue.work())
  })

  test('E05 a trust domain that is not configured is nowhere looked for', async () => {
    const { platform, planner } = stage
    const before = platform.fetched.bundle
    for (const domain of ['evil.example', `x.${PROD}`, '127.0.0.1', 'actchain']) {
      const claims = { sub: `spiffe://${domain}/agents/planner`, iss: `${platform.origin}/bundle` }
      await expectSvidRefused(planner.token(claims), 'trust_domain_unknown')
    }
    expect(platform.fetched.bundle).toBe(before)
  })

  test.each<[string, Members, string]>([
    ['no kid', { kid: undefined }, 'assertion_kid'],
    ['an empty kid', { kid: '' }, 'assertion_kid'],
    ['jku', { jku: 'https://evil.example/jwks' }, 'assertion_header'],
    ['jwk', { jwk: {} }, 'assertion_header'],
    ['x5c', { x5c: ['MIIB'] }, 'assertion_header'],
    ['cty', { cty: 'JWT' }, 'assertion_header'],
    ['crit', { crit: ['exp'] }, 'assertion_malformed'],
    [
      'typ client-authentication+jwt',
      { typ: 'client-authentication+jwt' },
      'assertion_type_mismatch',
    ],
    ['typ at+jwt', { typ: 'at+jwt' }, 'assertion_type_mismatch'],
    ['an empty typ', { typ: 'x' }, 'assertion_type_mismatch'],
    ['alg EdDSA', { alg: 'EdDSA' }, 'assertion_algorithm'],
    ['alg Ed25519', { alg: 'Ed25519' }, 'assertion_algorithm'],
    ['alg none', { alg: 'none' }, 'assertion_algorithm'],
    ['alg ES384 over an ES256 signature', { alg: 'ES384' }, 'assertion_algorithm_mismatch'],
    ['alg RS256 over an ES256 signature', { alg: 'RS256' }, 'assertion_algorithm_mismatch'],
  ])('E05 refuses a header with %s, signed by the right key', async (_, header, guard) => {
    await expectSvidRefused(stage.planner.token({}, header), guard)
  })

  test('E05 refuses HS256 keyed with the public key of the bundle', async () => {
    const { platform, planner } = stage
    const jwk = bareJwk(platform.authority)
    const pem = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
      .export({ type: 'spki', format: 'pem' })
      .toString()
    const [, payload] = planner.token().split('.')
    for (const secret of [pem, pem.trim(), JSON.stringify(jwk), '']) {
      const input = `${encode({ alg: 'HS256', kid: 'k1' })}.${payload}`
      const mac = createHmac('sha256', secret).update(input).digest('base64url')
      await expectSvidRefused(`${input}.${mac}`, 'assertion_algorithm')
    }
  })

  test('E05 refuses it under the type of RFC 7523, and another assertion under its own', async () => {
    const { server, planner } = stage
    const bearer = { client_assertion_type: ASSERTION_TYPE }
    await expectRefusal(server, { reason: FAILED }, () => planner.work(planner.token(), bearer))
    await expectSvidRefused(stage.keyed.assertion(), /^assertion_(?:subject|header)$/)
    await expectSvidRefused(stage.researcher.token(), /^assertion_subject$/)
  })

  test('SPJWT-5.1 refuses the JSON serialisation', async () => {
    const [head, payload, signature] = stage.planner.token().split('.')
    const json = { payload, protected: head, signature }
    for (const text of [json, { payload, signatures: [{ protected: head, signature }] }]) {
      await expectSvidRefused(JSON.stringify(text), 'assertion_malformed')
    }
  })
})

/** Time is the server's own: what it fetched gets old. Last in this file, for nothing of it is fresh afterwards. */
describe('K02 and K05 the bundle of a trust domain', () => {
  afterEach(() => {
    vi.useRealTimers()
  })
  let ahead = 0
  const later = (seconds: number): void => {
    ahead += seconds
    vi.useRealTimers()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ahead * 1000 })
  }
  const next = newKey('k2')
  const signedByNext = (): string =>
    svid(next, { aud: [stage.server.issuer()], exp: epoch() + 60 }, { kid: 'k2' })

  test('K05 a flood of unknown kids is one refetch, and a new key counts after the cooldown', async () => {
    const { platform, planner, server } = stage
    later(40)
    const before = platform.fetched.bundle
    const flood = Array.from({ length: 40 }, (_, at) =>
      planner.work(planner.token({}, { kid: `unknown-${at}` })),
    )
    for (const answer of await Promise.all(flood)) expectRefused(answer, FAILED)
    expect(platform.fetched.bundle - before).toBeLessThanOrEqual(1)
    platform.published.keys.push(svidKey(next))
    await expectSvidRefused(signedByNext(), 'assertion_key_unknown')
    later(40)
    await expectGranted(server, () => planner.work(signedByNext()))
    await expectGranted(server, () => planner.work())
  })

  test('SPCA-key-03 a key that was taken out is refused after the refresh hint', async () => {
    const { platform, planner, server } = stage
    platform.published.keys = [svidKey(next)]
    later(65)
    await expectSvidRefused(planner.token(), 'assertion_key_unknown')
    await expectGranted(server, () => planner.work(signedByNext()))
  })

  test.each<[string, unknown]>([
    ['no bundle at all', 'x'],
    ['no keys', { spiffe_sequence: 7 }],
    ['a private key in it', { keys: [{ use: 'jwt-svid', kid: 'k1', kty: 'EC', d: 'x' }] }],
    ['one kid twice', { keys: [svidKey(next), svidKey(next)] }],
    ['more keys than anybody has', { keys: Array.from({ length: 5000 }, () => svidKey(next)) }],
  ])('K02 goes on with the last good one while %s is served', async (_, bad) => {
    const { platform, server, planner } = stage
    const good = platform.published
    platform.published = bad as typeof good
    later(65)
    try {
      await expectGranted(server, () => planner.work(signedByNext()))
      await expectSvidRefused(planner.token(), 'assertion_key_unknown')
    } finally {
      platform.published = good
    }
  })

  test('SPB-4-01 an empty list takes everything back', async () => {
    const { platform } = stage
    platform.published.keys = []
    later(65)
    await expectSvidRefused(signedByNext(), 'assertion_key_unknown')
    // What the bundle does not understand is skipped.
    platform.published.keys = [{ use: 'x' }, { kty: 'none' }, { ...svidKey(next), use: undefined }]
    later(65)
    await expectSvidRefused(signedByNext(), 'assertion_key_unknown')
  })

  test('SPJWT-6.2-01 keys for other uses verify no JWT-SVID', async () => {
    const { platform } = stage
    for (const use of ['x509-svid', 'sig', 'enc', 'JWT-SVID']) {
      platform.published.keys = [{ ...svidKey(next), use }]
      later(65)
      await expectSvidRefused(signedByNext(), 'assertion_key_unknown')
    }
  })
})
