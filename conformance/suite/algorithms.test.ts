/** RFC 9068 §2.1 and RFC 9864: algorithms that have to be there, and names that say which curve they mean. */
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect } from 'vitest'
import { metadata } from './documents.ts'
import { encode, epoch, type SigningKey, signature, signingKey, signJwt } from './jwt.ts'
import { present } from './played-resource-server.ts'
import { alone, expectError, newId, second } from './scenario.ts'
import { hasVectors, vector, vectorProfile } from './vectors-issuer.ts'
import { verifies } from './verifies.ts'

const { rsa_jwk: rsa } = vectorProfile()

describe.runIf(hasVectors && rsa !== undefined)('a resource server', () => {
  verifies(
    '9068-2.1-02',
    'takes RS256 by its defaults',
    async () => {
      const key = signingKey(rsa ?? {})
      expect((await present(vector({}, {}, key))).status).toBe(200)
      expect((await present(vector({}, { alg: 'RS512' }, key))).status).toBe(401)
    },
    [],
  )
})

describe('proofs', () => {
  function edwards(curve: 'ed25519' | 'ed448'): SigningKey {
    const { privateKey } =
      curve === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ed448')
    return signingKey({ ...privateKey.export({ format: 'jwk' }), kid: newId() })
  }

  const proofBy = (key: SigningKey, alg: string): string =>
    signJwt(
      key,
      { typ: 'dpop+jwt', alg, jwk: key.publicJwk },
      { jti: newId(), htm: 'POST', htu: second.url('token'), iat: epoch() },
    )

  verifies(
    '9864-01',
    'are taken by the names that are listed, on the curve those mean',
    async () => {
      const listed = metadata['dpop_signing_alg_values_supported']
      const names: readonly unknown[] = Array.isArray(listed) ? listed : []
      for (const alg of ['Ed25519', 'EdDSA']) {
        const reply = await alone({}, { proofs: proofBy(edwards('ed25519'), alg) })
        if (names.includes(alg)) expect({ alg, status: reply.status }).toEqual({ alg, status: 200 })
        else expectError(reply, 'invalid_dpop_proof', 400, alg)
      }
      const other = edwards('ed448')
      for (const alg of ['EdDSA', 'Ed25519']) {
        expectError(
          await alone({}, { proofs: proofBy(other, alg) }),
          'invalid_dpop_proof',
          400,
          alg,
        )
      }
      // A key of one curve that says it is of the other.
      const mixed = { ...other.publicJwk, crv: 'Ed25519' }
      const input = [{ typ: 'dpop+jwt', alg: 'EdDSA', jwk: mixed }, { jti: newId() }].map(encode)
      const proofs = `${input.join('.')}.${signature(other, input.join('.'))}`
      expectError(await alone({}, { proofs }), 'invalid_dpop_proof')
    },
    ['own', 'proofs'],
  )
})
