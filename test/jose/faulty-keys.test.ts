/** Keys that nobody may verify with are no keys to either reader, whatever they are said to be for. */
import { describe, expect, test } from 'vitest'
import { ALGORITHMS, type VerifiedAlgorithm } from '../../keys/algorithm.ts'
import { readVerificationKey } from '../../keys/verification-key.ts'
import { importPublicKey, readPublicMembers } from '../../lib/src/public-key.ts'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import { FAULTY_KEYS } from '../support/faulty-keys.ts'
import { JUDGES } from './judges.ts'

/** RFC 8037 A.2 */
const GOOD: JsonObject = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  kid: 'good',
}

const ALL = Object.keys(ALGORITHMS) as VerifiedAlgorithm[]

describe.each(FAULTY_KEYS)('$name ($reference)', ({ name, alg, jwk, sign }) => {
  test('is no key', async () => {
    const read = readPublicMembers(jwk as JsonObject)
    expect(read && (await importPublicKey(read))).toBeUndefined()
    expect(readVerificationKey(jwk, ['ES256', 'EdDSA', 'RS256'])).toBeUndefined()
    // Of all, one is a good key of another algorithm, which the server may be told to take.
    expect(readVerificationKey(jwk, ALL)?.alg).toBe(name === 'P-384' ? 'ES384' : undefined)
  })

  test('signs no token, beside a good key or as the only one', async () => {
    const header = Buffer.from(JSON.stringify({ alg, kid: 'faulty' })).toString('base64url')
    const input = `${header}.e30`
    const token = `${input}.${sign(input).toString('base64url')}`
    for (const keys of [[{ ...jwk, kid: 'faulty' }], [GOOD, { ...jwk, kid: 'faulty' }]])
      for (const { takesToken } of JUDGES)
        expect(await takesToken(token, keys as readonly JsonObject[])).toBe(false)
  })
})
