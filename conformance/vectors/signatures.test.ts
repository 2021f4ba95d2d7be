/** Two JOSE libraries that are not ours agree on the signature part of every vector, but for the differences that are listed. */
import { createPublicKey, type JsonWebKeyInput } from 'node:crypto'
import { createVerifier } from 'fast-jwt'
import { compactVerify, importJWK, type JWK } from 'jose'
import { expect, test } from 'vitest'
import { readSigned } from '../reader/compact.ts'
import { isSignedBy, keyFor, keysOf } from '../reader/key.ts'
import { differencesOf, KNOWN_DIFFERENCES } from './known-differences.ts'
import { readVectors } from './vector-files.ts'

const ALGORITHMS = ['ES256', 'EdDSA', 'RS256'] as const

interface Signed {
  readonly id: string
  readonly token: string
  /** The key its header names. */
  readonly jwk: JWK
  /** The content is a JSON object, as far as JSON.parse can tell: some libraries look before they verify. */
  readonly isJwt: boolean
  readonly verifies: boolean
}

/** Each token with the key it names, once. */
function signedTokens(): readonly Signed[] {
  const all = new Map<string, Signed>()
  for (const { vector, case: given } of readVectors()) {
    const [head = '', body = ''] = vector.token.split('.')
    const header = lenientObject(head)
    const keys = given.jwks.keys as readonly JWK[]
    const found = keys.find(({ kid, alg }) =>
      header?.['kid'] === undefined ? alg === header?.['alg'] : kid === header['kid'],
    )
    if (found === undefined) continue
    const { id, token } = vector
    // A key that says no algorithm is for the one of the header.
    const jwk = { alg: String(header?.['alg']), ...found }
    const isJwt = lenientObject(body) !== undefined
    const name = JSON.stringify([token, found])
    if (!all.has(name)) all.set(name, { id, token, jwk, isJwt, verifies: verifies(token, found) })
  }
  return [...all.values()]
}

function lenientObject(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** By our own reader: form, header, key, signature. */
function verifies(token: string, jwk: JWK): boolean {
  const signed = readSigned(token)
  const key = signed && keyFor(signed, keysOf({ keys: [jwk] }))
  return signed !== undefined && key !== undefined && isSignedBy(signed, key)
}

async function verifiesWithJose(token: string, jwk: JWK): Promise<boolean> {
  try {
    await compactVerify(token, await josesKey(jwk), { algorithms: [...ALGORITHMS, 'Ed25519'] })
    return true
  } catch {
    return false
  }
}

const josesKey = once((jwk) => importJWK(jwk, jwk.alg))

function verifiesWithFastJwt(token: string, jwk: JWK): boolean {
  try {
    fastJwt(jwk)(token)
    return true
  } catch {
    return false
  }
}

const fastJwt = once((jwk) => {
  const input: JsonWebKeyInput = { key: jwk as JsonWebKeyInput['key'], format: 'jwk' }
  const key = String(createPublicKey(input).export({ type: 'spki', format: 'pem' }))
  const rules = { key, algorithms: [...ALGORITHMS], ignoreExpiration: true, cache: false }
  return createVerifier({ ...rules, ignoreNotBefore: true })
})

/** Made once for each key: most tokens have the same few. */
function once<Value>(make: (jwk: JWK) => Value): (jwk: JWK) => Value {
  const made = new Map<string, Value>()
  return (jwk) => {
    const name = JSON.stringify(jwk)
    const value = made.get(name) ?? make(jwk)
    made.set(name, value)
    return value
  }
}

const tokens = signedTokens()

test('there is something to compare', () => {
  expect(tokens.filter((token) => token.verifies).length).toBeGreaterThan(300)
  expect(tokens.filter((token) => !token.verifies).length).toBeGreaterThan(100)
})

test('jose', async () => {
  const others: string[] = []
  for (const { id, token, jwk, verifies: expected } of tokens)
    if ((await verifiesWithJose(token, jwk)) !== expected) others.push(id)
  expect(others.toSorted()).toEqual(differencesOf('jose'))
})

test('fast-jwt', () => {
  const others = tokens
    .filter(({ isJwt }) => isJwt)
    .filter(({ token, jwk, verifies: expected }) => verifiesWithFastJwt(token, jwk) !== expected)
  expect(others.map(({ id }) => id).toSorted()).toEqual(differencesOf('fast-jwt'))
})

test('every known difference is one of a vector there is, and has a reason', () => {
  const ids = new Set(readVectors().map(({ vector }) => vector.id))
  for (const { ids: listed, why, libraries } of KNOWN_DIFFERENCES) {
    expect(listed.filter((id) => !ids.has(id))).toEqual([])
    expect(why.length).toBeGreaterThan(10)
    expect(libraries.length).toBeGreaterThan(0)
  }
})
