import { deflateSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { readChain } from '../../lib/src/chain.ts'
import { VERIFICATION_REASONS, type VerificationReason } from '../../lib/src/errors.ts'
import { proofNonces } from '../../lib/src/nonces.ts'
import type { VerifierOptions } from '../../lib/src/options.ts'
import { statusLists } from '../../lib/src/status/status-lists.ts'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import { BROKEN_CHAINS } from '../support/broken-chains.ts'
import {
  aJwt,
  aKey,
  aProof,
  type Claims,
  chainClaims,
  ISSUER,
  NOW,
  signToken,
  withMember,
} from '../support/chain-token.ts'
import { aFixture, type Fixture, NEED, reasonOf, URL_CALLED } from '../support/verifier-fixture.ts'

let f: Fixture
beforeAll(async () => {
  f = await aFixture()
})

const REASONS = Object.keys(VERIFICATION_REASONS) as VerificationReason[]
const ofRequest = (headers: Record<string, string>) =>
  reasonOf(f.verifier.verify(new Request(URL_CALLED, { headers }), NEED))
const ofClaims = (path: string, value: unknown) => f.outcome(withMember(f.claims(), path, value))
const ofProof = async (shape: Claims, options: Partial<VerifierOptions> = {}, key = f.agentKey) => {
  const token = await signToken(f.issuerKey, f.claims())
  const proof = await aProof(key, { token, ...shape })
  return reasonOf(f.with(options).verify({ token, proof, method: 'GET', url: URL_CALLED }, NEED))
}
const bare = async (cnf?: Claims) => {
  const token = await signToken(f.issuerKey, chainClaims(cnf === undefined ? {} : { cnf }))
  return { token, method: 'GET', url: URL_CALLED }
}
/** The root has this status; undefined: no list can be read. */
const ofStatus = (status: number | undefined) => {
  const statuses = new Uint8Array(16_384).fill((status ?? 0) * 0x55)
  const claims = { iss: ISSUER, iat: NOW, exp: NOW + 60, gen: 'a1', seq: 1 }
  const lst = deflateSync(statuses).toString('base64url')
  const list = { ...claims, sub: `${ISSUER}/status/g1-7`, status_list: { bits: 2, lst } }
  const verifier = f.with({
    revocation: statusLists({ feed: 'off' }),
    jwks: { keys: [f.issuerKey.publicJwk] },
    fetch: async () =>
      status === undefined
        ? new Response('', { status: 500 })
        : new Response(await signToken(f.issuerKey, list, { typ: 'statuslist+jwt' })),
  })
  return f.outcome(f.claims(), {}, verifier)
}
const CERTIFIED = { 'x5t#S256': 'A'.repeat(43) }

/** How each reason comes about that is not one of the chain's. */
const PRODUCERS: Readonly<Record<string, () => Promise<string>>> = {
  token_missing: () => ofRequest({}),
  request_ambiguous: () => ofRequest({ authorization: 'Bearer a, DPoP b' }),
  authorization_malformed: () => ofRequest({ authorization: 'DPoP' }),
  token_malformed: () => ofRequest({ authorization: 'DPoP x' }),
  token_type_wrong: async () => f.outcomeOf(await aJwt(f.issuerKey, 'JWT', f.claims())),
  algorithm_refused: () => f.outcome(f.claims(), { alg: 'none' }),
  key_unknown: () => f.outcome(f.claims(), { kid: 'other' }),
  signature_invalid: async () => f.outcomeOf(await signToken(await aKey(), f.claims())),
  keys_unavailable: () =>
    f.outcome(f.claims(), {}, f.with({ fetch: () => Promise.reject(new Error('down')) })),
  issuer_mismatch: () => ofClaims('iss', 'https://evil.example'),
  audience_mismatch: () => ofClaims('aud', 'https://evil.example'),
  claim_malformed: () => ofClaims('sub', 7),
  token_expired: () => f.outcome(f.claims({ now: NOW - 1000 })),
  token_not_yet_valid: () => f.outcome(f.claims({ now: NOW + 100 })),
  token_revoked: () => ofStatus(1),
  token_suspended: () => ofStatus(2),
  revocation_unknown: () => ofStatus(undefined),
  chain_too_long: () => f.outcome(f.claims(), {}, f.with({ maxHops: 2 })),
  binding_missing: async () => reasonOf(f.verifier.verify(await bare(), NEED)),
  binding_unsupported: async () => reasonOf(f.verifier.verify(await bare({ kid: 'x' }), NEED)),
  certificate_missing: async () => reasonOf(f.verifier.verify(await bare(CERTIFIED), NEED)),
  certificate_mismatch: async () =>
    reasonOf(
      f.verifier.verify(
        { ...(await bare(CERTIFIED)), certificateThumbprint: 'B'.repeat(43) },
        NEED,
      ),
    ),
  scheme_mismatch: async () =>
    reasonOf(f.verifier.verify({ ...(await bare()), scheme: 'DPoP' }, NEED)),
  proof_missing: async () =>
    reasonOf(f.verifier.verify(await bare({ jkt: f.agentKey.thumbprint }), NEED)),
  proof_malformed: () => ofProof({ claims: { jti: undefined } }),
  proof_type_wrong: () => ofProof({ header: { typ: 'JWT' } }),
  proof_algorithm_refused: () => ofProof({ header: { alg: 'HS256' } }),
  proof_key_refused: () => ofProof({ header: { jwk: {} } }),
  proof_signature_invalid: async () => {
    const { kty, crv, x, y } = f.agentKey.publicJwk
    return ofProof({ header: { jwk: { kty, crv, x, y } } }, {}, await aKey())
  },
  proof_method_mismatch: () => ofProof({ method: 'PUT' }),
  proof_url_mismatch: () => ofProof({ url: 'https://evil.example/' }),
  proof_token_mismatch: () => ofProof({ claims: { ath: 'x' } }),
  proof_time_refused: () => ofProof({ claims: { iat: NOW - 100 } }),
  proof_key_mismatch: async () => ofProof({}, {}, await aKey()),
  proof_nonce_required: () => ofProof({}, { nonces: proofNonces({ secret: 's'.repeat(32) }) }),
  proof_replayed: () => ofProof({}, { replay: async () => false }),
  replay_unavailable: () => ofProof({}, { replay: () => Promise.reject(new Error('down')) }),
  delegation_required: () =>
    f.outcome(f.claims({ depth: 1, basis: 'client' }), {}, f.verifier, {
      ...NEED,
      delegated: true,
    }),
  scope_insufficient: () => f.outcome(f.claims(), {}, f.verifier, { scope: 'mail:send' }),
}

const CHAIN_REASONS = new Set<string>(BROKEN_CHAINS.map(([reason]) => reason))

describe('every reason of the closed table comes about', () => {
  test('and no other is ever named', () => {
    expect([...Object.keys(PRODUCERS), ...CHAIN_REASONS].toSorted()).toEqual(REASONS.toSorted())
  })

  test.each(Object.keys(PRODUCERS))('%s', async (reason) => {
    expect(await PRODUCERS[reason]?.()).toBe(reason)
  })

  test.each([...CHAIN_REASONS])('%s', (reason) => {
    const [, path, value] =
      BROKEN_CHAINS.find(([broken]) => broken === reason) ?? expect.unreachable()
    const claims = withMember(chainClaims(), path, value) as JsonObject
    expect(readChain(claims)).toEqual({ ok: false, reason })
  })
})

test('every reason has an error, a status and a text that fit each other', () => {
  for (const reason of REASONS) {
    const { error, status, text } = VERIFICATION_REASONS[reason]
    const statuses: Record<string, number> = {
      invalid_request: 400,
      invalid_token: 401,
      invalid_dpop_proof: 401,
      use_dpop_nonce: 401,
      insufficient_scope: 403,
      temporarily_unavailable: 503,
    }
    expect(status).toBe(error === undefined ? 401 : statuses[error])
    expect(text).toMatch(/^[a-zA-Z][\x20\x21\x23-\x5b\x5d-\x7e]+[^.]$/)
  }
})
