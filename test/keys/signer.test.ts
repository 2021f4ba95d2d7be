/** What signs for a tenant: signatures that verify, keys that are named by their thumbprint, nothing private shown. */
import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { createLocalSigner, generatePrivateJwk, thumbprint } from '../../keys/signer.ts'
import { readVerificationKey, verifySignature } from '../../keys/verification-key.ts'
import { ALGORITHM_NAMES, aPair } from './public-keys.ts'

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

describe.each(ALGORITHM_NAMES)('a signer of %s', (alg) => {
  const signer = createLocalSigner(generatePrivateJwk(alg), alg)
  const { publicJwk, kid } = signer

  test('makes signatures its own public key verifies', async () => {
    const signature = await signer.sign('a.b')
    const key = readVerificationKey(publicJwk, [alg])!
    expect(verifySignature(key, 'a.b', Buffer.from(signature, 'base64url'))).toBe(true)
    expect(verifySignature(key, 'a.c', Buffer.from(signature, 'base64url'))).toBe(false)
  })

  test('makes tokens another implementation verifies', async () => {
    const input = `${encode({ alg, kid })}.${encode({ sub: 'alice' })}`
    const token = `${input}.${await signer.sign(input)}`
    const verified = await compactVerify(token, await importJWK({ ...publicJwk }, alg))
    expect(verified.protectedHeader).toEqual({ alg, kid })
  })

  test('names its key by the first characters of the thumbprint', async () => {
    expect(kid.length).toBeGreaterThanOrEqual(8)
    const whole = await calculateJwkThumbprint({ ...publicJwk })
    expect(whole.startsWith(kid)).toBe(true)
  })

  test('shows public members alone, and does not let them be changed', () => {
    expect(publicJwk).toMatchObject({ kid, alg, use: 'sig' })
    for (const member of PRIVATE_MEMBERS) expect(publicJwk).not.toHaveProperty(member)
    expect(Object.isFrozen(publicJwk)).toBe(true)
  })

  test('never makes the same key twice', () => {
    expect(generatePrivateJwk(alg)).not.toEqual(generatePrivateJwk(alg))
  })

  test('takes no key of another algorithm', () => {
    for (const other of ALGORITHM_NAMES.filter((name) => name !== alg)) {
      expect(() => createLocalSigner(generatePrivateJwk(other), alg)).toThrow(`does not fit ${alg}`)
    }
  })
})

test('an RSA key has 2048 bits', () => {
  const modulus = Buffer.from(String(generatePrivateJwk('RS256')['n']), 'base64url')
  expect(modulus.length * 8).toBe(2048)
})

test('RFC 8037 appendix A.4: the known key makes the known signature', async () => {
  const jwk = {
    kty: 'OKP',
    crv: 'Ed25519',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  }
  const signer = createLocalSigner(jwk, 'EdDSA')
  expect(await signer.sign('eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc')).toBe(
    'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
  )
})

describe('thumbprints', () => {
  test('RFC 7638 §3.1: the key of the example has the thumbprint of the example', () => {
    const jwk = {
      kty: 'RSA',
      n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
      e: 'AQAB',
      alg: 'RS256',
      kid: '2011-04-29',
    }
    expect(thumbprint(jwk)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
  })

  test('RFC 8037 appendix A.3: the same for Ed25519', () => {
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
    expect(thumbprint({ kty: 'OKP', crv: 'Ed25519', x })).toBe(
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    )
  })

  test.each(ALGORITHM_NAMES)(
    'of %s are those of another implementation, whatever else the key has',
    async (alg) => {
      const { publicJwk, privateJwk } = aPair(alg)
      const expected = await calculateJwkThumbprint({ ...publicJwk } as Record<string, string>)
      expect(thumbprint(publicJwk)).toBe(expected)
      expect(thumbprint({ use: 'sig', kid: 'k', alg, ...privateJwk })).toBe(expected)
    },
  )
})
