/** JWT-SVIDs: which bundle is asked, how often, and by which keys a signature counts. */
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { authenticateSpiffeJwt } from '../../../server/oauth/authentication/spiffe-jwt.ts'
import { anAgent, aTenant, ISSUER, NOW } from '../../core/facts.ts'
import { encode, newKey, signJwt, twinOf } from '../../support/signing.ts'
import { type Given, judge, trustIn } from './trust.ts'

const PLANNER = 'spiffe://a.example/agents/planner'
const domain = (name: string) =>
  [name, { name, bundle: { file: 'f' }, crl: undefined, maxLifetime: 300 }] as const
const tenant = {
  ...aTenant({
    agents: [anAgent('planner', { auth: { method: 'spiffe_jwt', spiffeId: PLANNER } })],
  }),
  trustDomains: new Map([domain('a.example'), domain('b.example')]),
}

type Members = Readonly<Record<string, unknown>>

/** Two trust domains with the same kid. */
const [ours, theirs] = [newKey('k1'), newKey('k1')]
const GIVEN: Given = {
  bundles: { 'a.example': [ours.publicJwk], 'b.example': [theirs.publicJwk] },
}

const svid = (claims: Members = {}, header: Members = {}, key = ours): string =>
  signJwt(
    key,
    { alg: 'ES256', kid: 'k1', typ: 'JWT', ...header },
    { sub: PLANNER, aud: [ISSUER], exp: NOW + 60, ...claims },
  )

async function present(text: string, given: Given = GIVEN, clientId?: string) {
  const { trust, asked } = trustIn(given)
  const sent = { type: 'jwt-spiffe', text, now: NOW, ...(clientId && { clientId }) } as const
  return { outcome: await judge(authenticateSpiffeJwt, tenant, trust, sent), asked }
}

describe('who it is', () => {
  test.each([undefined, 'planner', PLANNER])('planner, with client_id %s', async (clientId) => {
    const { outcome, asked } = await present(svid(), GIVEN, clientId)
    expect(outcome).toMatchObject({
      client: 'planner',
      method: 'spiffe_jwt',
      credential: PLANNER,
      use: { kind: 'with_key', claim: { tenant: 'acme', kind: 'client_assertion' } },
    })
    expect(asked).toEqual(['a.example'])
  })

  test('nobody under another client_id, and nobody where no agent has the id', async () => {
    expect((await present(svid(), GIVEN, 'coder')).outcome).toBe('client_id_mismatch')
    const stranger = svid({ sub: 'spiffe://a.example/agents/coder' })
    // Asked and verified like any other: an unknown one is not told from a known one by what it costs.
    expect(await present(stranger)).toEqual({ outcome: 'client_unknown', asked: ['a.example'] })
    const forged = svid({ sub: 'spiffe://a.example/agents/coder' }, {}, newKey())
    expect((await present(forged)).outcome).toBe('assertion_signature_invalid')
  })

  test('is claimed by its jti, or by what was signed, until it has expired', async () => {
    const claimOf = async (text: string): Promise<unknown> => {
      const { outcome } = await present(text)
      return typeof outcome === 'string' ? outcome : outcome.use
    }
    const one = await claimOf(svid({ jti: 'x' }))
    expect(one).toMatchObject({ claim: { id: [PLANNER, 'jti:x'], expiresAt: NOW + 65 } })
    expect(await claimOf(svid({ jti: 'x', iat: NOW }))).toEqual(one)
    expect(await claimOf(svid({ jti: 'y' }))).not.toEqual(one)
    // Issued twice in one second, to two instances: two. The twin of a signature is the same one.
    const [first, second] = [svid(), svid()]
    expect(await claimOf(first)).not.toEqual(await claimOf(second))
    expect(twinOf(first)).not.toBe(first)
    expect(await claimOf(twinOf(first))).toEqual(await claimOf(first))
  })
})

describe('the bundle', () => {
  test('is the one of its own trust domain, whatever the kid and the issuer', async () => {
    const sub = 'spiffe://b.example/agents/planner'
    for (const claims of [{ sub }, { sub, iss: 'https://a.example' }]) {
      expect(await present(svid(claims))).toEqual({
        outcome: 'assertion_signature_invalid',
        asked: ['b.example'],
      })
    }
    const reverse = await present(svid({ iss: 'https://b.example' }, {}, theirs))
    expect(reverse).toEqual({ outcome: 'assertion_signature_invalid', asked: ['a.example'] })
  })

  test('of an unknown trust domain is nowhere looked for', async () => {
    const unknown = await present(svid({ sub: 'spiffe://evil.example/agents/planner' }))
    expect(unknown).toEqual({ outcome: 'trust_domain_unknown', asked: [] })
  })

  test('is asked once more for a kid it does not have', async () => {
    const next = newKey('k2')
    const text = svid({}, { kid: 'k2' }, next)
    const asked = ['a.example', 'a.example again']
    expect(await present(text)).toEqual({ outcome: 'assertion_key_unknown', asked })
    const renewed = { ...GIVEN, renewed: [ours.publicJwk, next.publicJwk] }
    expect((await present(text, renewed)).outcome).toMatchObject({ client: 'planner' })
  })

  test('that nobody has throws: unavailable is neither yes nor no', async () => {
    await expect(present(svid(), { bundles: {} })).rejects.toThrow('nothing at hand')
  })
})

describe('signatures', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })

  interface Pair {
    readonly privateKey: KeyObject
    readonly publicKey: KeyObject
  }

  function signedBy({ privateKey }: Pair, alg: string): string {
    const payload = { sub: PLANNER, aud: [ISSUER], exp: NOW + 60 }
    const input = `${encode({ alg, kid: 'k1' })}.${encode(payload)}`
    const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants
    const pss = alg.startsWith('PS') ? { padding, saltLength } : {}
    const signature = sign(`sha${alg.slice(2)}`, Buffer.from(input), {
      key: privateKey,
      dsaEncoding: 'ieee-p1363',
      ...pss,
    })
    return `${input}.${signature.toString('base64url')}`
  }

  test.each<[string, Pair]>([
    ['RS256', rsa],
    ['RS384', rsa],
    ['RS512', rsa],
    ['PS256', rsa],
    ['PS384', rsa],
    ['PS512', rsa],
    ['ES256', ec('P-256')],
    ['ES384', ec('P-384')],
    ['ES512', ec('P-521')],
  ])('SPJWT-2.1: %s', async (alg, pair) => {
    const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'k1', alg }
    const { outcome } = await present(signedBy(pair, alg), { bundles: { 'a.example': [jwk] } })
    expect(outcome).toMatchObject({ client: 'planner' })
  })

  test('the key decides: an RSA key that names none is for RS256 alone', async () => {
    const jwk = { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'k1' }
    const given = { bundles: { 'a.example': [jwk] } }
    expect((await present(signedBy(rsa, 'RS256'), given)).outcome).toMatchObject({})
    expect((await present(signedBy(rsa, 'PS256'), given)).outcome).toBe(
      'assertion_algorithm_mismatch',
    )
  })

  test.each(['HS256', 'none', 'EdDSA', 'Ed25519', 'es256', 'ES256K', 'RS1'])(
    'SPJWT-2.1: %s is refused before anything is asked',
    async (alg) => {
      expect(await present(svid({}, { alg }))).toEqual({
        outcome: 'assertion_algorithm',
        asked: [],
      })
    },
  )
})
