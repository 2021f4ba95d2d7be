/**
 * Writes conformance/vectors/verifier.json: tokens signed with published test keys, what a verifier is told about the
 * request, and what it has to answer. Run by hand when the format grows:
 * node --conditions=actchain:source test/support/write-vectors.ts
 */
import { readFile, writeFile } from 'node:fs/promises'
import { calculateJwkThumbprint, importJWK, type JWK } from 'jose'
import { VERIFICATION_REASONS, type VerificationReason } from '../../lib/src/errors.ts'
import { BROKEN_CHAINS } from './broken-chains.ts'
import {
  API,
  aProof,
  type Claims,
  chainClaims,
  ISSUER,
  NOW,
  signText,
  signToken,
  type TestKey,
  withMember,
} from './chain-token.ts'

const FOLDER = new URL('../../conformance/vectors/', import.meta.url)

/** Claims whose own schema is checked before the chain, so their reason is another one. */
const SCHEMA_FIRST: ReadonlyMap<string, VerificationReason> = new Map([
  ['aud', 'audience_mismatch'],
  ['scope', 'claim_malformed'],
  ['client_id', 'claim_malformed'],
])

interface Vector {
  readonly name: string
  readonly token: string
  readonly request: Claims
  readonly configuration?: Claims
  readonly expected: Claims
}

const vectors: Vector[] = []

async function readKey(name: string): Promise<TestKey> {
  const file = JSON.parse(await readFile(new URL('keys.json', FOLDER), 'utf8')) as Record<
    string,
    JWK
  >
  const { d, p, q, dp, dq, qi, ...publicJwk } = file[name] ?? {}
  const privateKey = await importJWK({ ...publicJwk, d, p, q, dp, dq, qi } as JWK)
  if (privateKey instanceof Uint8Array) throw new TypeError('not a key pair')
  const { alg = '', kid = '' } = publicJwk
  return { alg, kid, privateKey, publicJwk, thumbprint: await calculateJwkThumbprint(publicJwk) }
}

const expected = (reason?: VerificationReason): Claims =>
  reason === undefined
    ? { outcome: 'accept' }
    : { outcome: 'reject', reason, status: VERIFICATION_REASONS[reason].status }

const [es256, eddsa, rs256, agent, stranger] = await Promise.all(
  ['es256', 'eddsa', 'rs256', 'agent', 'stranger'].map(readKey),
)
if (!es256 || !eddsa || !rs256 || !agent || !stranger) throw new Error('keys.json is incomplete')

const bound = (shape = {}): Claims => chainClaims({ cnf: { jkt: agent.thumbprint }, ...shape })

/** One vector: a token, and a good proof for it unless the request says otherwise. */
async function add(
  name: string,
  token: string,
  reason?: VerificationReason,
  more: { readonly request?: Claims; readonly configuration?: Claims } = {},
): Promise<void> {
  const proof = await aProof(agent as TestKey, { token })
  const request = { method: 'GET', url: `${API}/entries`, scheme: 'DPoP', proof, ...more.request }
  const { configuration } = more
  vectors.push({
    name,
    token,
    request: JSON.parse(JSON.stringify(request)) as Claims,
    ...(configuration === undefined ? {} : { configuration }),
    expected: expected(reason),
  })
}

for (let depth = 1; depth <= 8; depth++) {
  await add(`${depth} hops`, await signToken(es256, bound({ depth })))
  const own = bound({ depth, basis: 'client' })
  await add(`${depth} hops, an agent on its own behalf`, await signToken(es256, own))
}
await add('signed with EdDSA', await signToken(eddsa, bound()))
await add('signed with RS256', await signToken(rs256, bound()))
for (const typ of ['application/at+jwt', 'at+JWT'])
  await add(`typ ${typ}`, await signToken(es256, bound(), { typ }))
for (const typ of ['JWT', 'dpop+jwt', 'id+jwt', undefined])
  await add(`typ ${typ ?? 'absent'}`, await signToken(es256, bound(), { typ }), 'token_type_wrong')
for (const alg of ['none', 'HS256', 'ES384'])
  await add(`alg ${alg}`, await signToken(es256, bound(), { alg }), 'algorithm_refused')
await add('unknown kid', await signToken(es256, bound(), { kid: 'other' }), 'key_unknown')
await add(
  'signed by another key',
  await signToken(stranger, bound(), { kid: es256.kid }),
  'signature_invalid',
)
await add('crit', await signToken(es256, bound(), { crit: ['x'] }), 'token_malformed')
const good = await signToken(es256, bound())
await add('padded signature', `${good}==`, 'token_malformed')
await add('no signature', good.slice(0, good.lastIndexOf('.') + 1), 'token_malformed')
const header = JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: es256.kid })
const twice = JSON.stringify(bound()).replace('{', `{"iss":"${ISSUER}",`)
await add('duplicate member', await signText(es256, header, twice), 'token_malformed')
const own = JSON.stringify(bound()).replace('{', '{"__proto__":{},')
await add('own __proto__', await signText(es256, header, own), 'token_malformed')
for (const iss of [`${ISSUER}/`, ISSUER.toUpperCase(), 'https://as.example.com/t/globex'])
  await add(
    `iss ${iss}`,
    await signToken(es256, withMember(bound(), 'iss', iss)),
    'issuer_mismatch',
  )
for (const [path, value] of [
  ['sub', 7],
  ['sub', ''],
  ['exp', undefined],
  ['exp', '1795316520'],
  ['iat', 1.5],
  ['scope', ['ledger:propose']],
  ['cnf', 'x'],
] as const) {
  const claims = withMember(bound(), path, value)
  const name = `claim ${path} ${JSON.stringify(value) ?? 'absent'}`
  await add(name, await signToken(es256, claims), 'claim_malformed')
}
await add('expired', await signToken(es256, bound({ now: NOW - 1000 })), 'token_expired')
await add(
  'issued in the future',
  await signToken(es256, bound({ now: NOW + 60 })),
  'token_not_yet_valid',
)
for (const [reason, path, value] of BROKEN_CHAINS) {
  const token = await signToken(es256, withMember(bound(), path, value))
  if (token.length > 4_000) continue
  const first = SCHEMA_FIRST.get(path)
  const mistyped = path === 'aud' || typeof value !== 'string'
  const text = JSON.stringify(value) ?? 'absent'
  const shown = text.length > 60 ? `${text.slice(0, 57)}...` : text
  await add(`${path} = ${shown}`, token, first !== undefined && mistyped ? first : reason)
}
await add('longer than configured', good, 'chain_too_long', { configuration: { max_hops: 2 } })
await add('as long as configured', good, undefined, { configuration: { max_hops: 3 } })

const bearer = { bearer: 'allowed' }
await add('no proof', good, 'proof_missing', { request: { proof: undefined } })
await add('bound, under Bearer', good, 'scheme_mismatch', {
  request: { scheme: 'Bearer' },
  configuration: bearer,
})
const free = await signToken(es256, chainClaims())
await add('unbound', free, 'binding_missing', { request: { scheme: 'Bearer', proof: undefined } })
await add('unbound where allowed', free, undefined, {
  request: { scheme: 'Bearer', proof: undefined },
  configuration: bearer,
})
await add('unbound, under DPoP', free, 'scheme_mismatch', { configuration: bearer })
for (const cnf of [{}, { kid: 'x' }, { jwe: 'x' }, { jkt: 'x' }]) {
  const token = await signToken(es256, chainClaims({ cnf }))
  await add(`cnf ${JSON.stringify(cnf)}`, token, 'binding_unsupported', { configuration: bearer })
}
const print = 'A'.repeat(43)
const certified = await signToken(es256, chainClaims({ cnf: { 'x5t#S256': print } }))
const overTls = (certificate_thumbprint?: string) => ({
  request: { scheme: 'Bearer', proof: undefined, certificate_thumbprint },
})
await add('certificate', certified, undefined, overTls(print))
await add('no certificate', certified, 'certificate_missing', overTls())
await add('another certificate', certified, 'certificate_mismatch', overTls('B'.repeat(43)))

const PROOFS: readonly (readonly [VerificationReason | undefined, Parameters<typeof aProof>[1]])[] =
  [
    [
      undefined,
      { token: good, url: `${API.replace('ledger.acme', 'LEDGER.ACME')}/%65ntries?x=1#y` },
    ],
    ['proof_method_mismatch', { token: good, method: 'POST' }],
    ['proof_url_mismatch', { token: good, url: `${API}/other` }],
    ['proof_url_mismatch', { token: good, url: 'https://evil.example/api/entries' }],
    ['proof_token_mismatch', { token: 'another' }],
    ['proof_time_refused', { token: good, claims: { iat: NOW - 61 } }],
    ['proof_time_refused', { token: good, claims: { iat: NOW + 61 } }],
    ['proof_malformed', { token: good, claims: { jti: undefined } }],
    ['proof_type_wrong', { token: good, header: { typ: 'JWT' } }],
    ['proof_algorithm_refused', { token: good, header: { alg: 'none' } }],
    ['proof_key_refused', { token: good, header: { jwk: { kty: 'oct', k: 'AAAA' } } }],
  ]
for (const [reason, shape] of PROOFS) {
  const proof = await aProof(agent, shape)
  const { token: _, ...rest } = shape
  const name = `proof with ${JSON.stringify(rest === undefined ? {} : rest)}`
  await add(shape.token === good ? name : 'proof for another token', good, reason, {
    request: { proof },
  })
}
for (const nonce of ['now', 'before', undefined, '', 7, ['now'], null]) {
  const proof = await aProof(agent, { token: good, claims: { nonce } })
  const holds = nonce === 'now' ? undefined : 'proof_nonce_required'
  await add(`nonce ${JSON.stringify(nonce) ?? 'absent'} where one is needed`, good, holds, {
    request: { proof },
    configuration: { nonces: ['now'] },
  })
}
const both = { cnf: { jkt: agent.thumbprint, 'x5t#S256': print } }
const twofold = await signToken(es256, chainClaims(both))
const shown = { request: { certificate_thumbprint: print } }
await add('key and certificate', twofold, undefined, shown)
await add('key without certificate', twofold, 'certificate_missing')
await add('certificate without key', twofold, 'proof_missing', {
  request: { ...shown.request, proof: undefined },
})
const foreign = await aProof(stranger, { token: good })
await add('proof by another key', good, 'proof_key_mismatch', { request: { proof: foreign } })

const file = {
  description:
    'Tokens signed with the keys of keys.json, the request they come with, and what a verifier answers. ' +
    'Each vector stands alone: no proof is used before. Times are seconds since the epoch.',
  issuer: ISSUER,
  audience: API,
  required_scope: 'ledger:propose',
  now: NOW,
  jwks: { keys: [es256, eddsa, rs256].map((key) => key.publicJwk) },
  vectors,
}
await writeFile(new URL('verifier.json', FOLDER), `${JSON.stringify(file, null, 1)}\n`)
