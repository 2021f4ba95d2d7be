/** Tokens bound to a client certificate (RFC 8705 §3), alone or with a key besides (docs/chain-format.md §2, rule 8). */
import type { VectorRequest } from '../../../conformance/vectors/vector.ts'
import type { VerificationReason } from '../../../lib/src/errors.ts'
import type { Claims } from '../chain-token.ts'
import { API, aChain, agent, aProof, aToken, reportOf, stranger } from './material.ts'
import { base64urlSha256 } from './signer.ts'
import { accepted, type Draft, rejected, type Theme } from './theme.ts'

const SHOWN = base64urlSha256('the certificate of the agent')
const OTHER = base64urlSha256('the certificate of somebody else')
const RULE = 'RFC 8705 §3'
const request = (scheme: 'DPoP' | 'Bearer', more: Partial<VectorRequest> = {}): VectorRequest => ({
  method: 'GET',
  url: `${API}/entries`,
  scheme,
  ...more,
})
const shown = { certificate_thumbprint: SHOWN }

function alone(): Draft[] {
  const claims = aChain({ hops: 2, cnf: { 'x5t#S256': SHOWN } })
  const token = aToken(claims)
  const good = (title: string, given: VectorRequest): Draft =>
    accepted(title, [RULE], { token, request: given }, reportOf(claims))
  const bad = (
    title: string,
    given: VectorRequest,
    ...reasons: [VerificationReason, ...VerificationReason[]]
  ): Draft => rejected(title, [RULE], { token, request: given }, reasons)
  return [
    good('the certificate of the token', request('Bearer', shown)),
    good(
      'the certificate of the token, and a proof nobody asked for',
      request('Bearer', { ...shown, proof: aProof(token) }),
    ),
    bad('no certificate', request('Bearer'), 'certificate_missing'),
    bad(
      'no certificate, but a good proof',
      request('Bearer', { proof: aProof(token) }),
      'certificate_missing',
    ),
    bad(
      'another certificate',
      request('Bearer', { certificate_thumbprint: OTHER }),
      'certificate_mismatch',
    ),
    bad(
      'an empty thumbprint',
      request('Bearer', { certificate_thumbprint: '' }),
      'certificate_mismatch',
      'certificate_missing',
    ),
    bad(
      'the thumbprint with padding',
      request('Bearer', { certificate_thumbprint: `${SHOWN}=` }),
      'certificate_mismatch',
    ),
    bad(
      'the thumbprint in other letters',
      request('Bearer', { certificate_thumbprint: SHOWN.toLowerCase() }),
      'certificate_mismatch',
    ),
    bad(
      'the certificate of the token, under DPoP',
      request('DPoP', { ...shown, proof: aProof(token) }),
      'scheme_mismatch',
    ),
    rejected(
      'no certificate, where bearer tokens are allowed',
      [RULE],
      { token, request: request('Bearer'), configuration: { bearer: 'allowed' } },
      ['certificate_missing'],
    ),
  ]
}

function both(): Draft[] {
  const claims = aChain({ hops: 2, cnf: { jkt: agent.thumbprint, 'x5t#S256': SHOWN } })
  const token = aToken(claims)
  const proof = aProof(token)
  const bad = (
    title: string,
    given: VectorRequest,
    ...reasons: [VerificationReason, ...VerificationReason[]]
  ): Draft => rejected(title, ['chain-format §2.8'], { token, request: given }, reasons)
  return [
    accepted(
      'key and certificate',
      ['chain-format §2.8'],
      { token, request: request('DPoP', { ...shown, proof }) },
      reportOf(claims),
    ),
    bad('the key without the certificate', request('DPoP', { proof }), 'certificate_missing'),
    bad(
      'the key with another certificate',
      request('DPoP', { proof, certificate_thumbprint: OTHER }),
      'certificate_mismatch',
    ),
    bad('the certificate without the key', request('DPoP', shown), 'proof_missing'),
    bad(
      'the certificate with another key',
      request('DPoP', { ...shown, proof: aProof(token, {}, { signer: stranger }) }),
      'proof_key_mismatch',
    ),
    bad(
      'key and certificate, under Bearer',
      request('Bearer', { ...shown, proof }),
      'scheme_mismatch',
    ),
    bad('neither', request('DPoP'), 'certificate_missing', 'proof_missing'),
    bad(
      'another key and another certificate',
      request('DPoP', {
        certificate_thumbprint: OTHER,
        proof: aProof(token, {}, { signer: stranger }),
      }),
      'certificate_mismatch',
      'proof_key_mismatch',
    ),
  ]
}

const MALFORMED: readonly (readonly [title: string, cnf: Claims])[] = [
  ['a certificate in other letters', { 'X5T#s256': SHOWN }],
  ['a thumbprint by SHA-512', { 'x5t#S512': 'A'.repeat(86) }],
  ['a thumbprint by SHA-1', { x5t: 'A'.repeat(27) }],
  ['a thumbprint that is null', { 'x5t#S256': null }],
  ['a thumbprint in a list', { 'x5t#S256': [SHOWN] }],
  ['a thumbprint that is empty', { 'x5t#S256': '' }],
  ['a thumbprint with padding', { 'x5t#S256': `${SHOWN}=` }],
  ['a thumbprint in hexadecimal', { 'x5t#S256': 'ab'.repeat(32) }],
  ['the certificate itself', { x5c: ['AAAA'] }],
  [
    'a good thumbprint and a member that is not known',
    { 'x5t#S256': SHOWN, 'x5t#S384': 'A'.repeat(64) },
  ],
]

export function certificates(): Theme {
  const plain = aChain({ hops: 2 })
  return {
    name: 'certificates',
    description:
      'Tokens bound to the certificate a client proved to hold: alone, or with a DPoP key besides.',
    vectors: [
      ...alone(),
      ...both(),
      ...MALFORMED.map(([title, cnf]) =>
        rejected(
          `cnf: ${title}`,
          ['chain-format §2.8'],
          { token: aToken(aChain({ hops: 2, cnf })), request: request('Bearer', shown) },
          ['binding_unsupported', 'binding_missing'],
        ),
      ),
      rejected(
        'a certificate binds no token that does not name it',
        ['chain-format §2.8'],
        { token: aToken(plain), request: request('Bearer', shown) },
        ['binding_missing'],
      ),
    ],
  }
}
