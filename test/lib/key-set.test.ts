/** A set of keys is read whole or refused, and a key in it is found by its name and algorithm or not at all. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { VerifierFault } from '../../lib/src/fault.ts'
import { findKey, type KeySet, keepKeys, readKeySet } from '../../lib/src/key-set.ts'
import type { JsonObject, JsonValue } from '../../lib/src/strict-json.ts'
import { aKey } from '../support/chain-token.ts'

let es256: JsonObject
let eddsa: JsonObject
beforeAll(async () => {
  es256 = (await aKey('ES256', 'k1')).publicJwk as JsonObject
  eddsa = (await aKey('EdDSA', 'k2')).publicJwk as JsonObject
})

function nameless(named: JsonObject): JsonObject {
  const { kid: _, ...jwk } = named
  return jwk
}

function read(value: JsonValue | undefined) {
  const faults: VerifierFault[] = []
  return { set: readKeySet(value, (fault) => faults.push(fault)), faults }
}

function setOf(...keys: readonly JsonObject[]): KeySet {
  const { set } = read({ keys })
  return typeof set === 'string' ? expect.unreachable() : set
}

describe('a set is refused', () => {
  test.each<[string, string, () => JsonValue | undefined]>([
    ['not a JWK Set', 'absent', () => undefined],
    ['not a JWK Set', 'a list', () => [es256]],
    ['not a JWK Set', 'of no list', () => ({ keys: es256 })],
    ['not a JWK Set', 'with something else among its keys', () => ({ keys: [es256, 'k1'] })],
    [
      'too many keys',
      'with 65',
      () => ({ keys: Array.from({ length: 65 }, () => nameless(es256)) }),
    ],
    [
      'two keys share a kid',
      'with one name twice',
      () => ({ keys: [es256, { ...eddsa, kid: 'k1' }] }),
    ],
    [
      'a kid is not a string',
      'with a number for a name',
      () => ({ keys: [es256, { ...eddsa, kid: 1 }] }),
    ],
    ['no usable key', 'without any', () => ({ keys: [] })],
    ['no usable key', 'of keys that verify nothing', () => ({ keys: [{ ...es256, use: 'enc' }] })],
  ])('as %s: %s', (reason, _, value) => {
    expect(read(value()).set).toBe(reason)
  })
})

describe('a key of another kind, size or use is none', () => {
  test.each<[string, () => JsonObject]>([
    ['an elliptic key by another name', () => ({ ...es256, kty: 'OKP' })],
    ['a point on another curve', () => ({ ...es256, crv: 'P-384' })],
    ['a point of a short x', () => ({ ...es256, x: 'AA' })],
    ['a point of a short y', () => ({ ...es256, y: 'AA' })],
    ['a point without y', () => ({ ...es256, y: null })],
    ['an Edwards key by another name', () => ({ ...eddsa, kty: 'EC' })],
    ['an Edwards key for agreement', () => ({ ...eddsa, crv: 'X25519' })],
    ['an Edwards key of a byte', () => ({ ...eddsa, x: 'AA' })],
    ['RSA without a modulus', () => ({ kty: 'RSA', e: 'AQAB' })],
    ['a symmetric key', () => ({ kty: 'oct' })],
    ['a key to encrypt with', () => ({ ...es256, use: 'enc' })],
    ['a key to sign with', () => ({ ...es256, key_ops: ['sign'] })],
    ['a key whose uses are no list', () => ({ ...es256, key_ops: 'verify' })],
    ['a key for another algorithm', () => ({ ...es256, alg: 'EdDSA' })],
  ])('%s', (_, jwk) => {
    expect(read({ keys: [jwk()] }).set).toBe('no usable key')
  })

  test('one that says it verifies signatures is one', () => {
    expect(setOf({ ...es256, use: 'sig', key_ops: ['sign', 'verify'] }).entries).toHaveLength(1)
    const { alg: _, ...silent } = es256
    expect(setOf(silent).entries).toHaveLength(1)
  })
})

test('64 keys, and several without a name, are a set', () => {
  expect(setOf(...Array.from({ length: 64 }, () => nameless(es256))).entries).toHaveLength(64)
})

test('a published secret is no key, and the operator is told', () => {
  const { set, faults } = read({ keys: [es256, { ...eddsa, d: 'AA' }] })
  expect(typeof set === 'string' ? [] : set.entries.map(({ kid }) => kid)).toEqual(['k1'])
  expect(faults).toEqual([{ kind: 'key_ignored', detail: 'the JWK Set publishes a secret' }])
  expect(read({ keys: [es256, eddsa] }).faults).toEqual([])
})

describe('a key is found', () => {
  test('by name and algorithm, always the same object', async () => {
    const set = setOf(es256, eddsa)
    const found = await findKey(set, 'k1', 'ES256')
    expect(found?.algorithm).toBe('ES256')
    expect(await findKey(set, 'k1', 'ES256')).toBe(found)
    expect(await findKey(set, 'k1', 'EdDSA')).toBeUndefined()
    expect(await findKey(set, 'k3', 'ES256')).toBeUndefined()
  })

  test('without a name where it is the only one of its algorithm', async () => {
    expect((await findKey(setOf(es256, eddsa), undefined, 'EdDSA'))?.algorithm).toBe('EdDSA')
    const twins = setOf(es256, { ...es256, kid: 'k3' })
    expect(await findKey(twins, undefined, 'ES256')).toBeUndefined()
    expect((await findKey(twins, 'k3', 'ES256'))?.algorithm).toBe('ES256')
    expect(await findKey(setOf(nameless(es256)), 'k1', 'ES256')).toBeUndefined()
  })

  test('no more once its name is not kept', () => {
    const kept = keepKeys(setOf(es256, eddsa), (kid) => kid === 'k2')
    expect(kept.entries.map(({ kid }) => kid)).toEqual(['k2'])
  })
})
