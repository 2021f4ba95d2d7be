/** A private key as a person brings it: every form there is, and nothing that is weak, public or known to others. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readPrivateKey } from '../../keys/private-key.ts'
import { generatePrivateJwk } from '../../keys/signer.ts'
import { ALGORITHM_NAMES } from './public-keys.ts'

const made = new Map(ALGORITHM_NAMES.map((alg) => [alg, generatePrivateJwk(alg)]))
const ofAlgorithm = (alg: (typeof ALGORITHM_NAMES)[number]) => made.get(alg) ?? {}
const keyObject = (alg: (typeof ALGORITHM_NAMES)[number]): KeyObject =>
  createPrivateKey({ key: ofAlgorithm(alg) as JsonWebKey, format: 'jwk' })
const pem = (key: KeyObject, type: 'pkcs8' | 'sec1' | 'pkcs1'): string =>
  String(key.export({ format: 'pem', type }))

describe('is read', () => {
  test.each(ALGORITHM_NAMES)('of %s, as PKCS #8 and as a JWK', async (alg) => {
    const jwk = ofAlgorithm(alg)
    const expected = { alg, jwk }
    expect(await readPrivateKey(pem(keyObject(alg), 'pkcs8'))).toEqual(expected)
    expect(await readPrivateKey(JSON.stringify(jwk))).toEqual(expected)
    const named = { ...jwk, kid: 'mine', alg, use: 'sig', key_ops: ['sign'] }
    expect(await readPrivateKey(` ${JSON.stringify(named)}\n`)).toEqual(expected)
  })

  test('in the older forms: SEC 1 and PKCS #1', async () => {
    const [ec, rsa] = [pem(keyObject('ES256'), 'sec1'), pem(keyObject('RS256'), 'pkcs1')]
    expect(ec).toContain('BEGIN EC PRIVATE KEY')
    expect(await readPrivateKey(ec)).toEqual({ alg: 'ES256', jwk: ofAlgorithm('ES256') })
    expect(await readPrivateKey(rsa)).toEqual({ alg: 'RS256', jwk: ofAlgorithm('RS256') })
  })
})

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const { d: _, ...publicJwk } = privateKey.export({ format: 'jwk' })
const jwk = (changes: object) => JSON.stringify({ ...ofAlgorithm('ES256'), ...changes })
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
const odd = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).privateKey
const curve = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
const { cipher, passphrase } = { cipher: 'aes-256-cbc', passphrase: 'sentinel' } as const
const locked = privateKey.export({ format: 'pem', type: 'pkcs8', cipher, passphrase })

describe('is refused', () => {
  test.each([
    ['a public key', publicKey.export({ format: 'pem', type: 'spki' }), 'key_public'],
    ['a public JWK', JSON.stringify(publicJwk), 'key_public'],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----', 'key_public'],
    ['an RSA key below 2048 bits', pem(weak, 'pkcs8'), 'key_unfit'],
    ['an RSA key of another exponent', pem(odd, 'pkcs8'), 'key_unfit'],
    ['another curve', pem(curve, 'pkcs8'), 'key_unfit'],
    ['X25519', pem(generateKeyPairSync('x25519').privateKey, 'pkcs8'), 'key_unfit'],
    ['Ed448', pem(generateKeyPairSync('ed448').privateKey, 'pkcs8'), 'key_unfit'],
    ['a secret', JSON.stringify({ kty: 'oct', k: 'AAAA' }), 'key_unfit'],
    ['a JWK for encryption', jwk({ use: 'enc' }), 'key_unfit'],
    ['a JWK that may not sign', jwk({ key_ops: ['verify'] }), 'key_unfit'],
    ['a JWK of another algorithm', jwk({ alg: 'RS256' }), 'key_unfit'],
    ['a JWK of an unknown algorithm', jwk({ alg: 'none' }), 'key_unfit'],
    ['halves of two keys', jwk({ x: publicJwk.x, y: publicJwk.y }), 'key_malformed'],
    ['a JWK set', JSON.stringify({ keys: [ofAlgorithm('ES256')] }), 'key_malformed'],
    ['a key under a passphrase', String(locked), 'key_malformed'],
    ['no JSON', '{', 'key_malformed'],
    ['nothing', '', 'key_malformed'],
    ['words', 'sentinel', 'key_malformed'],
  ])('%s', async (_name, text, fault) => {
    expect(await readPrivateKey(String(text))).toBe(fault)
  })

  test('K06 a key that is printed in a document', async () => {
    // RFC 8037 Appendix A.1.
    const printed = {
      kty: 'OKP',
      crv: 'Ed25519',
      d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    }
    expect(await readPrivateKey(JSON.stringify(printed))).toBe('key_published')
  })

  test('K06 the key that a library prints in its source', async () => {
    const source = new URL(
      'lib/consts/dev_keystore.js',
      import.meta.resolve('oidc-provider/package.json'),
    )
    const module: unknown = await import(source.href)
    const { keys } = (module as { readonly default: { readonly keys: readonly object[] } }).default
    expect(await readPrivateKey(JSON.stringify(keys[0]))).toBe('key_published')
  })
})
