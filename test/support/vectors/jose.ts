/** Faults of JOSE readers (RFC 8725, RFC 7515 §10): algorithms, keys from elsewhere, names of keys, signatures, other forms. */
import { constants, createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { VerificationReason } from '../../../lib/src/errors.ts'
import type { Claims } from '../chain-token.ts'
import { aChain, aToken, eddsa, es256, reportOf, rs256, signedText, stranger } from './material.ts'
import { base64url, type Signer, signerOf } from './signer.ts'
import { accepted, type Draft, JWKS, type Presented, rejected, type Theme } from './theme.ts'

type Reasons = readonly [VerificationReason, ...VerificationReason[]]

/** What it says matters little here, so it is short. */
const CLAIMS = aChain({ hops: 1 })
const HEADER = { alg: 'ES256', typ: 'at+jwt', kid: es256.kid }
const GOOD = aToken(CLAIMS)
const INPUT = GOOD.slice(0, GOOD.lastIndexOf('.'))
const PAYLOAD = base64url(JSON.stringify(CLAIMS))
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

const bad = (title: string, rule: string, given: string | Presented, reasons: Reasons): Draft =>
  rejected(title, [rule], given, reasons)

function noSignature(): Draft[] {
  const spellings = ['none', 'None', 'NONE', 'nOnE', 'none ', 'none\u0000', 'null', 'false', '0']
  return [
    ...spellings.map((alg) =>
      bad(
        `alg ${JSON.stringify(alg)}, signed all the same`,
        'RFC 8725 §3.1',
        aToken(CLAIMS, { alg }),
        ['algorithm_refused'],
      ),
    ),
    ...['none', 'None', 'NONE'].map((alg) =>
      bad(
        `alg ${alg} without a signature`,
        'RFC 7519 §6',
        `${base64url(JSON.stringify({ ...HEADER, alg }))}.${PAYLOAD}.`,
        ['token_malformed', 'algorithm_refused'],
      ),
    ),
    bad(
      'alg none with three zero bytes as a signature',
      'RFC 7519 §6',
      `${base64url(JSON.stringify({ ...HEADER, alg: 'none' }))}.${PAYLOAD}.AAAA`,
      ['algorithm_refused', 'token_malformed'],
    ),
    bad('no alg', 'RFC 7515 §4.1.1', aToken(CLAIMS, { alg: undefined }), [
      'token_malformed',
      'algorithm_refused',
    ]),
    bad('an empty alg', 'RFC 7515 §4.1.1', aToken(CLAIMS, { alg: '' }), [
      'token_malformed',
      'algorithm_refused',
    ]),
  ]
}

/** Text that looks like a secret to a reader that takes whatever key it has for the algorithm it is told. */
function secrets(): readonly (readonly [name: string, secret: string | Buffer])[] {
  const pem = (signer: Signer, type: 'spki' | 'pkcs1'): string =>
    String(createPublicKey({ key: signer.jwk, format: 'jwk' }).export({ type, format: 'pem' }))
  return [
    ['the issuer’s RSA key in PEM', pem(rs256, 'spki')],
    ['the issuer’s RSA key in PEM of PKCS #1', pem(rs256, 'pkcs1')],
    ['the issuer’s RSA key in PEM, without its last line break', pem(rs256, 'spki').trimEnd()],
    ['the issuer’s EC key in PEM', pem(es256, 'spki')],
    [
      'the issuer’s EC key in DER',
      createPublicKey({ key: es256.jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' }),
    ],
    ['the issuer’s EC key as a JWK', JSON.stringify(es256.jwk)],
    ['the x of the issuer’s Ed25519 key', Buffer.from(String(eddsa.jwk['x']), 'base64url')],
    ['nothing', ''],
    ['the name of a key', es256.kid],
  ]
}

function symmetric(): Draft[] {
  const mac = (alg: string, kid: string, secret: string | Buffer): string => {
    const input = `${base64url(JSON.stringify({ ...HEADER, alg, kid }))}.${PAYLOAD}`
    return `${input}.${createHmac(alg.replace('HS', 'sha'), secret).update(input).digest('base64url')}`
  }
  return [
    ...secrets().map(([name, secret]) =>
      bad(
        `HS256, the secret is ${name}`,
        'RFC 8725 §2.1',
        mac('HS256', name.includes('RSA') ? rs256.kid : es256.kid, secret),
        ['algorithm_refused'],
      ),
    ),
    bad(
      'HS512, the secret is the issuer’s EC key in PEM',
      'RFC 8725 §2.1',
      mac('HS512', es256.kid, secrets()[3]?.[1] ?? ''),
      ['algorithm_refused'],
    ),
  ]
}

function algorithms(): Draft[] {
  const refused = [
    'ES384',
    'ES512',
    'ES256K',
    'RS384',
    'RS512',
    'RS1',
    'PS256',
    'PS512',
    'Ed448',
    'es256',
    'ES256 ',
    'ES256\u0000',
    'ECDSA',
    'SHA256withECDSA',
    'dir',
    'A256GCM',
    'RSA-OAEP',
    'ECDH-ES',
    'ML-DSA-44',
    '__proto__',
    'constructor',
    'toString',
  ]
  const es384 = signerOf('es384')
  const withP384 = { jwks: { keys: [...JWKS.keys, es384.jwk] } }
  return [
    ...refused.map((alg) =>
      bad(`alg ${JSON.stringify(alg)}`, 'RFC 8725 §3.1', aToken(CLAIMS, { alg }), [
        'algorithm_refused',
      ]),
    ),
    bad(
      'ES384 with a key of the set that is for it',
      'RFC 8725 §3.1',
      { token: aToken(CLAIMS, {}, es384), ...withP384 },
      ['algorithm_refused'],
    ),
    bad(
      'ES256 with a key on P-384',
      'RFC 7518 §3.4',
      { token: aToken(CLAIMS, { alg: 'ES256' }, es384), ...withP384 },
      ['key_unknown', 'signature_invalid', 'algorithm_refused'],
    ),
    bad(
      'RS256, the name of the EC key',
      'RFC 8725 §3.1',
      aToken(CLAIMS, { kid: es256.kid }, rs256),
      ['key_unknown', 'algorithm_refused', 'signature_invalid'],
    ),
    bad('ES256, the name of the RSA key', 'RFC 8725 §3.1', aToken(CLAIMS, { kid: rs256.kid }), [
      'key_unknown',
      'algorithm_refused',
      'signature_invalid',
    ]),
    bad(
      'EdDSA, the name of the EC key',
      'RFC 8725 §3.1',
      aToken(CLAIMS, { kid: es256.kid }, eddsa),
      ['key_unknown', 'algorithm_refused', 'signature_invalid'],
    ),
    bad(
      'signed with RSA, said to be ES256',
      'RFC 8725 §3.1',
      aToken(CLAIMS, { alg: 'ES256', kid: es256.kid }, rs256),
      ['signature_invalid'],
    ),
    bad(
      'signed with ES256, said to be EdDSA by its key',
      'RFC 8725 §3.1',
      aToken(CLAIMS, { alg: 'EdDSA', kid: eddsa.kid }),
      ['signature_invalid'],
    ),
    bad('PSS, said to be RS256', 'RFC 8725 §3.1', pss(), ['signature_invalid']),
    bad('RS256 over SHA-1', 'RFC 8725 §3.2', otherDigest('sha1'), ['signature_invalid']),
    bad('RS256 over SHA-512', 'RFC 8725 §3.2', otherDigest('sha512'), ['signature_invalid']),
  ]
}

function rsaKey() {
  const keys = JSON.parse(
    readFileSync(new URL('../../../conformance/vectors/keys.json', import.meta.url), 'utf8'),
  ) as Record<string, Claims>
  return createPrivateKey({ key: keys['rs256'] ?? {}, format: 'jwk' })
}

const RSA_INPUT = `${base64url(JSON.stringify({ ...HEADER, alg: 'RS256', kid: rs256.kid }))}.${PAYLOAD}`

/** Without salt, so that it is the same each time. */
function pss(): string {
  const how = { key: rsaKey(), padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 0 }
  return `${RSA_INPUT}.${sign('sha256', Buffer.from(RSA_INPUT), how).toString('base64url')}`
}

function otherDigest(digest: string): string {
  return `${RSA_INPUT}.${sign(digest, Buffer.from(RSA_INPUT), rsaKey()).toString('base64url')}`
}

function elsewhere(): Draft[] {
  const own = stranger.bare
  const pointers: readonly (readonly [name: string, header: Claims])[] = [
    ['jwk', { jwk: own }],
    ['jwk with the issuer’s kid in it', { jwk: { ...own, kid: es256.kid } }],
    ['jku', { jku: 'https://evil.example/jwks.json' }],
    ['jku at the issuer’s own host', { jku: 'https://as.example.com/t/acme/files/evil.json' }],
    [
      'jku in a data URL',
      { jku: `data:application/json,${encodeURIComponent(JSON.stringify({ keys: [own] }))}` },
    ],
    ['jku in a file', { jku: 'file:///tmp/jwks.json' }],
    ['x5u', { x5u: 'https://evil.example/cert.pem' }],
    ['x5c', { x5c: [Buffer.from('a certificate of the attacker').toString('base64')] }],
    ['x5t#S256', { 'x5t#S256': 'A'.repeat(43) }],
  ]
  return [
    ...pointers.flatMap(([name, header]) => [
      bad(
        `${name} brings the key, under the issuer’s kid`,
        'RFC 8725 §3.10',
        aToken(CLAIMS, { ...header, kid: es256.kid }, stranger),
        ['signature_invalid'],
      ),
      bad(
        `${name} brings the key, under its own kid`,
        'RFC 8725 §3.10',
        aToken(CLAIMS, header, stranger),
        ['key_unknown', 'signature_invalid'],
      ),
    ]),
    bad(
      'jwk brings the key, without a kid',
      'RFC 8725 §3.10',
      aToken(CLAIMS, { jwk: own, kid: undefined }, stranger),
      ['signature_invalid', 'key_unknown'],
    ),
    accepted(
      'jwk of a stranger, signed by the issuer: data that nobody looks at',
      ['RFC 8725 §3.10'],
      aToken(CLAIMS, { jwk: own }),
      reportOf(CLAIMS),
    ),
    accepted(
      'jku of a stranger, signed by the issuer: an address that nobody asks',
      ['RFC 8725 §3.10'],
      aToken(CLAIMS, { jku: 'https://evil.example/' }),
      reportOf(CLAIMS),
    ),
  ]
}

function extensions(): Draft[] {
  const crits: readonly (readonly [name: string, header: Claims])[] = [
    ['an empty crit', { crit: [] }],
    ['crit of an extension nobody knows', { crit: ['x'], x: 1 }],
    ['crit of an extension that is not there', { crit: ['x'] }],
    ['crit of exp', { crit: ['exp'], exp: 1 }],
    ['crit of alg', { crit: ['alg'] }],
    ['crit of b64', { crit: ['b64'], b64: true }],
    ['crit of b64, which is false', { crit: ['b64'], b64: false }],
    ['crit that is a string', { crit: 'exp', exp: 1 }],
    ['crit that is null', { crit: null }],
    ['crit that is an object', { crit: {} }],
    ['crit of a name twice', { crit: ['x', 'x'], x: 1 }],
    ['b64 false without crit', { b64: false }],
    ['b64 true without crit', { b64: true }],
    ['b64 that is null', { b64: null }],
  ]
  return crits.map(([name, header]) =>
    bad(name, 'RFC 7515 §4.1.11', aToken(CLAIMS, header), ['token_malformed', 'signature_invalid']),
  )
}

function keyNames(): Draft[] {
  const names: readonly string[] = [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '',
    '0',
    'undefined',
    'null',
    '../../../../../../dev/null',
    '/proc/self/environ',
    '..\\..\\key.pem',
    'file:///dev/null',
    'https://evil.example/jwks.json',
    'http://169.254.169.254/latest/meta-data/',
    "x' UNION SELECT 'AAAA' --",
    "test-es256' OR '1'='1",
    '"; DROP TABLE keys; --',
    '{"$ne":null}',
    '*',
    '.*',
    '%',
    'test-es25_',
    'test-*',
    '| id',
    '$(id)',
    '`id`',
    '\u0000',
    'test-es256\u0000',
    'test-es256\n',
    ' test-es256',
    'test-es256 ',
    'TEST-ES256',
    'test-es25',
    'test-es2566',
    'test\u2010es256',
    'tést-es256',
    'test-es256#0',
    'test-es256?x',
    'test%2Des256',
    'test-stranger',
    'a'.repeat(256),
  ]
  const shown = (kid: string): string =>
    kid.length > 60 ? `a name of ${kid.length} characters` : JSON.stringify(kid)
  return [
    ...names.map((kid) =>
      bad(`kid ${shown(kid)}`, 'RFC 8725 §3.10', aToken(CLAIMS, { kid }), [
        'key_unknown',
        'signature_invalid',
      ]),
    ),
    ...[257, 10_240].map((length) =>
      bad(
        `kid ${shown('a'.repeat(length))}`,
        'chain-format §2',
        aToken(CLAIMS, { kid: 'a'.repeat(length) }),
        ['token_malformed', 'key_unknown'],
      ),
    ),
    bad(
      'a kid that is the number of the key in the set',
      'RFC 7515 §4.1.4',
      aToken(CLAIMS, { kid: 0 }),
      ['token_malformed', 'key_unknown'],
    ),
    bad(
      'no kid, and two keys that can be meant',
      'RFC 7515 §4.1.4',
      { token: aToken(CLAIMS, { kid: undefined }), jwks: { keys: [...JWKS.keys, stranger.jwk] } },
      ['key_unknown', 'signature_invalid'],
    ),
    bad(
      'the key is not of the set any more',
      'RFC 7517 §5',
      { token: GOOD, jwks: { keys: [eddsa.jwk, rs256.jwk] } },
      ['key_unknown'],
    ),
    bad(
      'another key under the same name',
      'RFC 7515 §5.2',
      { token: GOOD, jwks: { keys: [{ ...stranger.jwk, kid: es256.kid }, rs256.jwk] } },
      ['signature_invalid'],
    ),
  ]
}

/** Points of Ed25519 for which signatures are made without a key: of order 1, 2, 4 and 8, and one written with a larger number. */
export const SMALL_ORDER: readonly string[] = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
].map((hex) => Buffer.from(hex, 'hex').toString('base64url'))

/** Keys of a set that verify nothing. The set has a good one besides. */
function keys(): Draft[] {
  const x = String(es256.jwk['x'])
  const without: readonly (readonly [name: string, jwk: Claims, signer?: Signer])[] = [
    ['is for encryption', { ...es256.jwk, use: 'enc' }],
    ['is for signing alone', { ...es256.jwk, key_ops: ['sign'] }],
    ['has no operation', { ...es256.jwk, key_ops: [] }],
    ['is for another algorithm', { ...es256.jwk, alg: 'ES384' }],
    ['is for none', { ...es256.jwk, alg: 'none' }],
    ['publishes its private half', { ...es256.jwk, d: 'A'.repeat(43) }],
    ['has a symmetric member', { ...es256.jwk, k: 'AAAA' }],
    ['says another curve', { ...es256.jwk, crv: 'P-384' }],
    ['says no curve', { ...es256.jwk, crv: undefined }],
    ['says another type', { ...es256.jwk, kty: 'OKP' }],
    ['is half a point', { ...es256.jwk, y: undefined }],
    ['is no point of the curve', { ...es256.jwk, y: x }],
    ['is the point at nothing', { ...es256.jwk, x: 'A'.repeat(43), y: 'A'.repeat(43) }],
    ['is a point written too short', { ...es256.jwk, x: x.slice(0, -2) }],
    [
      'is a point in another alphabet',
      { ...es256.jwk, x: x.replaceAll('_', '/').replaceAll('-', '+').concat('=') },
    ],
    ...SMALL_ORDER.map(
      (x) => [`is a point of small order, ${x.slice(0, 6)}`, { ...eddsa.jwk, x }, eddsa] as const,
    ),
    ['is RSA of 1024 bits', signerOf('weak').jwk, signerOf('weak')],
    ['is RSA with exponent 3', signerOf('exponent3').jwk, signerOf('exponent3')],
  ]
  return without.map(([name, jwk, signer = es256]) =>
    bad(
      `the key ${name}`,
      'RFC 8725 §3.1',
      {
        token: aToken(CLAIMS, {}, signer),
        jwks: {
          keys: [
            JSON.parse(JSON.stringify(jwk)) as object,
            signer === es256 ? rs256.jwk : es256.jwk,
          ],
        },
      },
      ['key_unknown', 'signature_invalid'],
    ),
  )
}

const octets = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, '0'), 'hex')

/** DER of R and S, as X.509 and TLS have it. */
function der(signature: Buffer): Buffer {
  const integer = (bytes: Buffer): Buffer => {
    const trimmed = bytes.subarray(bytes.findIndex((byte) => byte !== 0))
    const padded = (trimmed[0] ?? 0) > 127 ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed
    return Buffer.concat([Buffer.of(2, padded.length), padded])
  }
  const both = Buffer.concat([integer(signature.subarray(0, 32)), integer(signature.subarray(32))])
  return Buffer.concat([Buffer.of(0x30, both.length), both])
}

function signatures(): Draft[] {
  const signature = es256.sign(INPUT)
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)]
  const flipped = (at: number): Buffer =>
    Buffer.from(signature.map((byte, index) => (index === at ? byte ^ 1 : byte)))
  const zero = Buffer.alloc(32)
  const order = octets(ORDER)
  const forged: readonly (readonly [name: string, signature: Buffer | string])[] = [
    ['of another key', stranger.sign(INPUT)],
    ['of another token', es256.sign(`${INPUT}A`)],
    ['of the payload alone', es256.sign(PAYLOAD)],
    ['of the payload before it was encoded', es256.sign(JSON.stringify(CLAIMS))],
    ['with its first bit turned', flipped(0)],
    ['with its last bit turned', flipped(63)],
    ['a byte short', signature.subarray(0, 63)],
    ['a byte long', Buffer.concat([signature, Buffer.alloc(1)])],
    ['with a zero before it', Buffer.concat([Buffer.alloc(1), signature])],
    ['in DER', der(signature)],
    ['twice', Buffer.concat([signature, signature])],
    ['in hexadecimal', Buffer.from(signature.toString('hex'))],
    ['in base64url once more', Buffer.from(signature.toString('base64url'))],
    ['with R and S changed round', Buffer.concat([s, r])],
    ['with its bytes the other way round', Buffer.from(signature).reverse()],
    ['R zero, S zero', Buffer.concat([zero, zero])],
    ['R zero', Buffer.concat([zero, s])],
    ['S zero', Buffer.concat([r, zero])],
    ['R and S the order of the curve', Buffer.concat([order, order])],
    ['R one, S one', Buffer.concat([octets(1n), octets(1n)])],
    ['R and S beyond the order', Buffer.alloc(64, 255)],
    ['zeros of DER', Buffer.from('3006020100020100', 'hex')],
    ['of one byte', Buffer.of(1)],
    ['of 132 bytes', Buffer.alloc(132, 1)],
    ['of P-384', signerOf('es384').sign(INPUT)],
  ]
  const other = octets(ORDER - BigInt(`0x${s.toString('hex')}`))
  return [
    accepted(
      'the other S, which verifies as well: the text of a token identifies nothing',
      ['RFC 7518 §3.4'],
      `${INPUT}.${base64url(Buffer.concat([r, other]))}`,
      reportOf(CLAIMS),
    ),
    ...forged.map(([name, forgery]) =>
      bad(`a signature ${name}`, 'RFC 7515 §5.2', `${INPUT}.${base64url(forgery)}`, [
        'signature_invalid',
      ]),
    ),
    ...edwards(),
    ...rsa(),
    ...swapped(),
  ]
}

/** RFC 8032 §5.1.7: S is below the order of the group, so that there is one S. */
function edwards(): Draft[] {
  const token = aToken(CLAIMS, {}, eddsa)
  const input = token.slice(0, token.lastIndexOf('.'))
  const signature = eddsa.sign(input)
  const group = 2n ** 252n + 27742317777372353535851937790883648493n
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`)
  const beyond = Buffer.concat([
    signature.subarray(0, 32),
    Buffer.from(octets(s + group)).reverse(),
  ])
  const forged: readonly (readonly [string, Buffer])[] = [
    ['whose S is beyond the order', beyond],
    ['of zeros', Buffer.alloc(64)],
    ['of the neutral point and zero', Buffer.concat([Buffer.of(1), Buffer.alloc(63)])],
    ['a byte short', signature.subarray(0, 63)],
    ['a byte long', Buffer.concat([signature, Buffer.alloc(1)])],
  ]
  return forged.map(([name, forgery]) =>
    bad(`an EdDSA signature ${name}`, 'RFC 8037 §3.1', `${input}.${base64url(forgery)}`, [
      'signature_invalid',
    ]),
  )
}

function rsa(): Draft[] {
  const token = aToken(CLAIMS, {}, rs256)
  const input = token.slice(0, token.lastIndexOf('.'))
  const signature = rs256.sign(input)
  const one = Buffer.concat([Buffer.alloc(255), Buffer.of(1)])
  const forged: readonly (readonly [string, Buffer])[] = [
    ['of zeros', Buffer.alloc(256)],
    ['that is one', one],
    ['with a zero before it', Buffer.concat([Buffer.alloc(1), signature])],
    ['with a zero after it', Buffer.concat([signature, Buffer.alloc(1)])],
    ['a byte short', signature.subarray(1)],
    ['that is the modulus', Buffer.from(String(rs256.jwk['n']), 'base64url')],
  ]
  return forged.map(([name, forgery]) =>
    bad(`an RSA signature ${name}`, 'RFC 7518 §3.3', `${input}.${base64url(forgery)}`, [
      'signature_invalid',
    ]),
  )
}

/** Parts of two good tokens put together. */
function swapped(): Draft[] {
  const [head = '', , signature = ''] = GOOD.split('.')
  const raised = base64url(JSON.stringify({ ...CLAIMS, sub: 'mallory' }))
  const rsaHead = base64url(JSON.stringify({ ...HEADER, alg: 'RS256', kid: rs256.kid }))
  return [
    bad('a payload that was changed', 'RFC 7515 §5.2', `${head}.${raised}.${signature}`, [
      'signature_invalid',
    ]),
    bad(
      'a header that was changed',
      'RFC 7515 §5.2',
      `${base64url(JSON.stringify({ ...HEADER, x: 1 }))}.${PAYLOAD}.${signature}`,
      ['signature_invalid'],
    ),
    bad('a header of another key', 'RFC 7515 §5.2', `${rsaHead}.${PAYLOAD}.${signature}`, [
      'signature_invalid',
    ]),
    bad('header and payload changed round', 'RFC 7515 §7.1', `${PAYLOAD}.${head}.${signature}`, [
      'token_malformed',
    ]),
  ]
}

function forms(): Draft[] {
  const [head = '', payload = '', signature = ''] = GOOD.split('.')
  const flattened = JSON.stringify({ protected: head, payload, signature })
  const general = JSON.stringify({ payload, signatures: [{ protected: head, signature }] })
  const jwe = `${base64url('{"alg":"dir","enc":"A256GCM"}')}..AAAAAAAAAAAAAAAA.${base64url('text')}.AAAAAAAAAAAAAAAAAAAAAA`
  const nested = signedText(es256, { ...HEADER, cty: 'JWT' }, GOOD)
  const form = (title: string, token: string, ...or: VerificationReason[]): Draft =>
    bad(title, 'RFC 7515 §7', token, ['token_malformed', ...or])
  return [
    form('the flattened JSON form', flattened),
    form('the general JSON form', general),
    form('the JSON form in base64url', base64url(flattened)),
    form('a JWE', jwe),
    form(
      'a JWE around the token',
      `${base64url('{"alg":"RSA-OAEP","enc":"A256GCM","cty":"JWT"}')}.AAAA.AAAA.${payload}.AAAA`,
    ),
    form(
      'a JWE header before the token',
      `${base64url('{"alg":"dir","enc":"A256GCM","cty":"JWT"}')}.${GOOD}.AAAA`,
    ),
    form('the token inside another one', nested),
    form('the token in a list', signedText(es256, HEADER, JSON.stringify([CLAIMS]))),
    form(
      'a payload that is compressed',
      signedText(es256, { ...HEADER, zip: 'DEF' }, Buffer.of(0x03, 0x00)),
    ),
    form('a payload that is not encoded', `${head}.${JSON.stringify({ x: 1 })}.${signature}`),
    bad(
      'the claims in the header',
      'RFC 7519 §5.3',
      signedText(es256, { ...HEADER, ...CLAIMS }, { iss: CLAIMS['iss'] }),
      ['audience_mismatch', 'claim_malformed', 'bounds_missing'],
    ),
  ]
}

export function jose(): Theme {
  return {
    name: 'jose',
    description:
      'Known faults of JOSE readers: algorithms, keys that tokens bring along, names of keys, unsuitable keys, signatures, other serialisations.',
    configuration: { bearer: 'allowed' },
    vectors: [
      ...noSignature(),
      ...symmetric(),
      ...algorithms(),
      ...elsewhere(),
      ...extensions(),
      ...keyNames(),
      ...keys(),
      ...signatures(),
      ...forms(),
    ],
  }
}
