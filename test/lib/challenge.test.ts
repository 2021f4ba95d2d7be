import { beforeAll, describe, expect, test } from 'vitest'
import { tlsCertificate } from '../../lib/src/certificate.ts'
import { challengeFor } from '../../lib/src/challenge.ts'
import {
  VERIFICATION_REASONS,
  VerificationError,
  type VerificationReason,
} from '../../lib/src/errors.ts'
import {
  resourceMetadata,
  resourceMetadataPath,
  resourceMetadataUrl,
} from '../../lib/src/metadata.ts'
import { API, aProof, ISSUER, signToken } from '../support/chain-token.ts'
import { aFixture, type Fixture, NEED, reasonOf, URL_CALLED } from '../support/verifier-fixture.ts'

const REASONS = Object.keys(VERIFICATION_REASONS) as VerificationReason[]
const LENIENT = { realm: 'ledger', bearer: 'allowed' } as const
const STRICT = { realm: 'ledger', bearer: 'refused' } as const

let f: Fixture
beforeAll(async () => {
  f = await aFixture()
})

describe('a challenge', () => {
  test('without credentials names no error, but realm, scope and algorithms', () => {
    const error = new VerificationError('token_missing')
    expect(challengeFor(error, { ...LENIENT, scope: 'a b' })).toBe(
      'Bearer realm="ledger", scope="a b", DPoP realm="ledger", scope="a b", algs="ES256 EdDSA RS256"',
    )
  })

  test('says where the metadata of the resource is', () => {
    const resource_metadata = resourceMetadataUrl(API)
    expect(
      challengeFor(new VerificationError('token_expired'), {
        ...STRICT,
        resourceMetadata: resource_metadata,
      }),
    ).toBe(
      'DPoP realm="ledger", error="invalid_token", error_description="the token has expired", ' +
        'algs="ES256 EdDSA RS256", ' +
        'resource_metadata="https://ledger.acme.example/.well-known/oauth-protected-resource/api"',
    )
  })

  test('puts the error with the scheme it is about', () => {
    const told = (reason: VerificationReason, presented?: 'DPoP' | 'Bearer') =>
      challengeFor(new VerificationError(reason), { ...LENIENT, presented })
        .split(', DPoP ')
        .map((challenge) => challenge.includes('error='))
    expect(told('token_expired', 'Bearer')).toEqual([true, false])
    expect(told('token_expired', 'DPoP')).toEqual([false, true])
    expect(told('token_expired')).toEqual([true, true])
    expect(told('proof_missing', 'Bearer')).toEqual([false, true])
    const bearer = challengeFor(new VerificationError('scheme_mismatch'), {
      ...STRICT,
      presented: 'Bearer',
    })
    expect(bearer).toContain('error="invalid_token"')
  })

  test('8705-3-02 offers Bearer where a certificate may bind a token, and its error there', () => {
    const facts = { ...STRICT, certificateOf: tlsCertificate, presented: 'Bearer' as const }
    expect(challengeFor(new VerificationError('certificate_mismatch'), facts)).toBe(
      'Bearer realm="ledger", error="invalid_token", ' +
        'error_description="the token is bound to another certificate", ' +
        'DPoP realm="ledger", algs="ES256 EdDSA RS256"',
    )
    expect(challengeFor(new VerificationError('token_missing'), STRICT)).not.toContain('Bearer')
  })

  test.each(REASONS)('has each attribute once and stays within its quotes: %s', (reason) => {
    const facts = { ...LENIENT, scope: 'a', resourceMetadata: 'https://x.example/' }
    const challenge = challengeFor(new VerificationError(reason), facts)
    for (const part of challenge.split(', DPoP ')) {
      const names = [...part.matchAll(/(\w+)="[^"\\]*"/g)].map(([, name]) => name)
      expect(new Set(names).size).toBe(names.length)
    }
    expect(challenge).toMatch(/^[\x20-\x7e]+$/)
  })

  test.each(['a"b', 'a\\b', 'a\r\nx-evil: 1', 'é'])('never carries %j', (realm) => {
    const error = new VerificationError('token_missing')
    expect(() => challengeFor(error, { ...STRICT, realm })).toThrow(TypeError)
    expect(() => challengeFor(error, { ...STRICT, scope: realm })).toThrow(TypeError)
  })
})

describe('an answer', () => {
  test('names the scope that was lacking', () => {
    const answer = f.verifier.challenge(new VerificationError('scope_insufficient'), { need: NEED })
    expect(answer).toEqual({
      status: 403,
      headers: {
        'cache-control': 'no-store',
        'content-type': 'application/json',
        'www-authenticate':
          `DPoP realm="${API}", error="insufficient_scope", ` +
          'error_description="the token lacks the scope this needs", scope="ledger:propose", ' +
          'algs="ES256 EdDSA RS256"',
      },
      body: {
        error: 'insufficient_scope',
        error_description: 'the token lacks the scope this needs',
        reason: 'scope_insufficient',
      },
    })
  })

  test('to an outage is 503 with a time to come back, and no challenge', () => {
    for (const reason of ['keys_unavailable', 'replay_unavailable'] as const) {
      const { status, headers } = f.verifier.challenge(new VerificationError(reason))
      expect([status, headers['retry-after'], headers['www-authenticate']]).toEqual([
        503,
        '5',
        undefined,
      ])
    }
  })

  test('without credentials has no error code in its body either', () => {
    const { status, body } = f.verifier.challenge(new VerificationError('token_missing'))
    expect([status, body]).toEqual([
      401,
      { error_description: 'an access token is required', reason: 'token_missing' },
    ])
  })
})

describe('a request', () => {
  const outcome = async (
    headers: Record<string, string> | [string, string][],
    url = URL_CALLED,
    verifier = f.verifier,
  ) => reasonOf(verifier.verify(new Request(url, { headers }), NEED))

  test.each(['DPoP', 'dpop', 'DPOP'])('is verified under %s', async (scheme) => {
    const token = await signToken(f.issuerKey, f.claims())
    const dpop = await aProof(f.agentKey, { token })
    expect(await outcome({ authorization: `${scheme} ${token}`, dpop })).toBe('accepted')
  })

  test.each(['Bearer', 'bearer'])('is verified under %s where that is allowed', async (scheme) => {
    const token = await signToken(f.issuerKey, { ...f.claims(), cnf: undefined })
    const lenient = f.with({ bearer: 'allowed' })
    const headers = { authorization: `${scheme} ${token}` }
    expect(await outcome(headers, URL_CALLED, lenient)).toBe('accepted')
    expect(await outcome(headers)).toBe('binding_missing')
  })

  test.each([
    ['no header', {}, 'token_missing'],
    ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }, 'token_missing'],
    ['a scheme alone', { authorization: 'Bearer' }, 'authorization_malformed'],
    ['a scheme and spaces', { authorization: 'Bearer  ' }, 'authorization_malformed'],
    ['two tokens', { authorization: 'Bearer a b' }, 'authorization_malformed'],
    ['a quote', { authorization: 'DPoP a"b' }, 'authorization_malformed'],
    ['both schemes', { authorization: 'Bearer a, DPoP b' }, 'request_ambiguous'],
    ['no token but a proof', { dpop: 'x' }, 'token_missing'],
    ['a token of nothing', { authorization: 'DPoP x' }, 'token_malformed'],
    ['two proofs in one', { authorization: 'DPoP x', dpop: 'a, b' }, 'proof_malformed'],
  ])('is refused with %s', async (_, headers, reason) => {
    expect(await outcome(headers as Record<string, string>)).toBe(reason)
  })

  test('is refused with two Authorization headers, or two proofs', async () => {
    expect(
      await outcome([
        ['authorization', 'DPoP a'],
        ['authorization', 'DPoP b'],
      ]),
    ).toBe('request_ambiguous')
    expect(
      await outcome([
        ['authorization', 'DPoP a'],
        ['dpop', 'b'],
        ['dpop', 'c'],
      ]),
    ).toBe('proof_malformed')
  })

  test.each(['access_token=x', 'a=1&access_token=x', 'access%5Ftoken=x', 'access_token'])(
    'takes no token from the query: %s',
    async (query) => {
      expect(await outcome({}, `${URL_CALLED}?${query}`)).toBe('token_missing')
      expect(await outcome({ authorization: 'DPoP x' }, `${URL_CALLED}?${query}`)).toBe(
        'request_ambiguous',
      )
    },
  )

  test('M04 is read in one pass, however long its header', async () => {
    const hostile = [
      'Bearer '.repeat(20_000),
      `Bearer ${'a='.repeat(50_000)}`,
      `DPoP ${' '.repeat(99_999)}"`,
    ]
    for (const authorization of hostile)
      expect(await outcome({ authorization })).toBe('authorization_malformed')
  })

  test('may leave its token out in the plain form too', async () => {
    const bare = { token: undefined as unknown as string, method: 'GET', url: '/' }
    expect(await reasonOf(f.verifier.verify(bare, NEED))).toBe('token_missing')
  })
})

describe('protected resource metadata', () => {
  test('says what the verifier does', () => {
    expect(resourceMetadata(f.verifier, { scopes: ['ledger:read'], name: 'Ledger' })).toEqual({
      resource: API,
      authorization_servers: [ISSUER],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'RS256'],
      dpop_bound_access_tokens_required: true,
      scopes_supported: ['ledger:read'],
      resource_name: 'Ledger',
    })
    const certified = resourceMetadata(f.with({ certificateOf: tlsCertificate }))
    expect(certified).toMatchObject({ tls_client_certificate_bound_access_tokens: true })
    // One that is bound to a certificate alone needs no proof.
    expect(Object.keys(certified)).not.toContain('dpop_bound_access_tokens_required')
    const lenient = resourceMetadata(f.with({ bearer: 'allowed' }))
    expect(Object.keys(lenient)).not.toContain('dpop_bound_access_tokens_required')
    expect(Object.keys(lenient)).not.toContain('scopes_supported')
  })

  test.each([
    ['https://rs.example/r1', '/.well-known/oauth-protected-resource/r1'],
    ['https://rs.example', '/.well-known/oauth-protected-resource'],
    ['https://rs.example/', '/.well-known/oauth-protected-resource'],
    ['https://rs.example/a/b?c=d', '/.well-known/oauth-protected-resource/a/b?c=d'],
  ])('of %s is at %s', (audience, path) => {
    expect(resourceMetadataPath(audience)).toBe(path)
    expect(resourceMetadataUrl(audience)).toBe(`https://rs.example${path}`)
  })

  test('is refused for what is no URL of a resource', () => {
    for (const audience of ['urn:ledger', 'ledger', 'https://rs.example/#x'])
      expect(() => resourceMetadataUrl(audience)).toThrow(TypeError)
  })
})
