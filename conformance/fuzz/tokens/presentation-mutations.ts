/** What comes with a token: proofs (RFC 9449 §4), schemes, URLs and certificates, good or changed in a thing or two. */
import type { VectorRequest } from '../../vectors/vector.ts'
import { hashOf, KEYS, type Raw, signRaw } from '../issuer.ts'
import type { Random } from '../random.ts'
import { mutateCompact } from './compact-mutations.ts'
import { API, CERTIFICATE, NONCE, NOW, SETTINGS, type Setting, type SettingName } from './input.ts'
import { mutateJson } from './json-mutations.ts'
import { anyValue } from './odd-values.ts'

const PATH = '/entries?page=2'
const TARGET = `${new URL(API).origin}/entries`

interface ProofParts {
  readonly header: Record<string, unknown>
  readonly claims: Record<string, unknown>
}

let proofs = 0

function goodProof(token: string, setting: SettingName): ProofParts {
  const { configuration }: Setting = SETTINGS[setting]
  return {
    header: { typ: 'dpop+jwt', alg: KEYS.agent.alg, jwk: KEYS.agent.jwk },
    claims: {
      // One process, one number: no two good proofs of a run are the same.
      jti: `proof-${++proofs}`,
      htm: 'GET',
      htu: TARGET,
      iat: NOW,
      ath: hashOf(token),
      ...(configuration.nonces === undefined ? {} : { nonce: NONCE }),
    },
  }
}

function signed({ header, claims }: ProofParts, key = KEYS.agent): string {
  return signRaw(key, JSON.stringify(header), JSON.stringify(claims))
}

/** The request that fits the setting. */
export function goodRequest(token: string, setting: SettingName): VectorRequest {
  const { binding } = SETTINGS[setting]
  const request = { method: 'GET', url: PATH }
  const certificate =
    binding === 'certificate' || binding === 'both' ? { certificate_thumbprint: CERTIFICATE } : {}
  if (binding === 'none' || binding === 'certificate')
    return { ...request, ...certificate, scheme: 'Bearer' }
  return { ...request, ...certificate, scheme: 'DPoP', proof: signed(goodProof(token, setting)) }
}

const URLS = [
  PATH,
  '/entries',
  '/entries/',
  '/entries#f',
  '/Entries',
  '//entries',
  '/./entries',
  '/x/../entries',
  '/%65ntries',
  '/entries%2F',
  '/entries%00',
  TARGET,
  `${TARGET}?x=1`,
  'https://LEDGER.acme.example:443/entries',
  'https://evil.example/entries',
  '',
  'entries',
  '*',
  '/entries?access_token=x',
  'http://[',
  '/\ud800',
  '/entries\n',
]
const TARGETS = [
  TARGET,
  `${TARGET}?page=2`,
  `${TARGET}#f`,
  `${TARGET}/`,
  'https://LEDGER.ACME.EXAMPLE/entries',
  'https://ledger.acme.example:443/entries',
  'https://ledger.acme.example:8443/entries',
  'http://ledger.acme.example/entries',
  'https://ledger.acme.example/%65ntries',
  'https://ledger.acme.example/x/../entries',
  'https://ledger.acme.example/%2e/entries',
  'https://user@ledger.acme.example/entries',
  'https://ledger.acme.example./entries',
  'https:ledger.acme.example/entries',
  'https://ledger.acme.example\\entries',
  ` ${TARGET}`,
  'javascript:1',
  '',
  'x',
  '/entries',
]
const METHODS = ['GET', 'get', 'POST', 'GET ', '', 'G\u0000ET']
const TIMES = [
  NOW - 61,
  NOW - 60,
  NOW - 59,
  NOW + 59,
  NOW + 60,
  NOW + 61,
  NOW + 0.5,
  0,
  -NOW,
  1e300,
]

type ProofMutation = (parts: ProofParts, random: Random) => void

const PROOF_MUTATIONS: readonly ProofMutation[] = [
  ({ claims }, random) => {
    claims['htu'] = random.pick(TARGETS)
  },
  ({ claims }, random) => {
    claims['htm'] = random.pick(METHODS)
  },
  ({ claims }, random) => {
    claims['iat'] = random.pick(TIMES)
  },
  ({ claims }, random) => {
    claims['jti'] = random.pick([
      '',
      'x'.repeat(256),
      'x'.repeat(257),
      '\ud800',
      `other-${random.bits()}`,
    ])
  },
  ({ claims }, random) => {
    claims['nonce'] = random.pick<unknown>([NONCE, '', 'other', 1, null, [NONCE]])
  },
  ({ claims }, random) => {
    claims[random.pick(['jti', 'htm', 'htu', 'iat', 'ath', 'nonce', 'exp', 'x'])] = anyValue(random)
  },
  ({ claims }, random) => {
    delete claims[random.pick(['jti', 'htm', 'htu', 'iat', 'ath', 'nonce'])]
  },
  ({ header }, random) => {
    header['typ'] = random.pick<unknown>([
      'DPOP+JWT',
      'application/dpop+jwt',
      'at+jwt',
      'JWT',
      '',
      1,
    ])
  },
  ({ header }, random) => {
    header['alg'] = random.pick<unknown>([
      'none',
      'HS256',
      'EdDSA',
      'RS256',
      'ES384',
      '',
      1,
      ['ES256'],
    ])
  },
  ({ header }, random) => {
    const { jwk } = KEYS.agent
    header['jwk'] = random.pick<unknown>([
      { ...jwk, d: 'x' },
      { ...jwk, use: 'enc' },
      { ...jwk, alg: 'ES384' },
      { ...jwk, kid: 'x' },
      { ...jwk, crv: 'P-384' },
      { ...jwk, x: `${jwk['x']}=` },
      { ...jwk, y: jwk['x'] },
      { ...jwk, key_ops: ['sign'] },
      KEYS.other_agent.jwk,
      KEYS.eddsa.jwk,
      KEYS.rs256.jwk,
      { kty: 'oct', k: 'AA' },
      {},
      null,
      'x',
      [jwk],
    ])
  },
  ({ header }, random) => {
    header[random.pick(['crit', 'b64', 'kid', 'jku', 'x5c', 'zip', 'x'])] = anyValue(random)
  },
]

function mutatedProof(token: string, setting: SettingName, random: Random): string | undefined {
  const parts = goodProof(token, setting)
  const kind = random.below(14)
  if (kind === 0) return undefined
  if (kind === 1) return signed(parts, KEYS.other_agent)
  if (kind === 2)
    return signed(
      { ...parts, header: { ...parts.header, jwk: KEYS.other_agent.jwk } },
      KEYS.other_agent,
    )
  if (kind === 3) return mutateCompact(signed(parts), token, random).token
  if (kind === 4) {
    const claims: Raw = mutateJson(JSON.stringify(parts.claims), random).raw
    return signRaw(KEYS.agent, JSON.stringify(parts.header), claims)
  }
  if (kind === 5)
    return random.pick(['', token, 'x', `${signed(parts)},${signed(parts)}`, 'x'.repeat(9000)])
  for (let left = random.pick([1, 1, 2]); left > 0; left--)
    random.pick(PROOF_MUTATIONS)(parts, random)
  return signed(parts)
}

/** A request with one or two things changed. */
export function mutateRequest(
  token: string,
  setting: SettingName,
  random: Random,
): { readonly request: VectorRequest; readonly by: string } {
  const { proof, ...request } = goodRequest(token, setting)
  const withProof = (given: string | undefined): VectorRequest =>
    given === undefined ? request : { ...request, proof: given }
  const { binding }: Setting = SETTINGS[setting]
  const kind = random.below(binding === 'none' || binding === 'certificate' ? 4 : 9)
  if (kind === 0) {
    const scheme = request.scheme === 'DPoP' ? 'Bearer' : 'DPoP'
    return { request: { ...withProof(proof), scheme }, by: 'scheme' }
  }
  if (kind === 1) return { request: { ...withProof(proof), url: random.pick(URLS) }, by: 'url' }
  if (kind === 2)
    return { request: { ...withProof(proof), method: random.pick(METHODS) }, by: 'method' }
  if (kind === 3) {
    const { certificate_thumbprint: _, ...bare } = withProof(proof)
    const shown = random.pick([
      undefined,
      '',
      'x',
      CERTIFICATE.slice(0, -1),
      `${CERTIFICATE}=`,
      CERTIFICATE.toLowerCase(),
      CERTIFICATE,
    ])
    return {
      request: shown === undefined ? bare : { ...bare, certificate_thumbprint: shown },
      by: 'certificate',
    }
  }
  return { request: withProof(mutatedProof(token, setting, random)), by: 'proof' }
}
