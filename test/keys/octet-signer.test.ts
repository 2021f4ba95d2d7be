/** The key that signs octets: made once, sealed, and the same for whoever opens it. */
import { createPublicKey, verify } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openKeyring } from '../../keys/keyring.ts'
import { openOctetSigner } from '../../keys/octet-signer.ts'

const OCTETS = Buffer.from('octets \u2014 not only ASCII\n')
const SECRET = 'a secret of this test and no other'

let dataFolder: string
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-octets-'))
})
afterEach(() => rmSync(dataFolder, { recursive: true, force: true }))

test('signs what its public key verifies, octet by octet', () => {
  const { publicKey, sign } = openOctetSigner({ dataFolder, owner: '_a.b', secret: SECRET })
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  expect(publicKey).toHaveLength(32)
  expect(verify(null, OCTETS, key, sign(OCTETS))).toBe(true)
  expect(verify(null, Buffer.from('others'), key, sign(OCTETS))).toBe(false)
})

test('is one key for all that open it, another for each owner, and none without the secret', () => {
  const place = { dataFolder, owner: '_a.b', secret: SECRET }
  const first = openOctetSigner(place).publicKey
  expect(openOctetSigner(place).publicKey).toEqual(first)
  expect(openKeyring(place, 'EdDSA').active.publicJwk['x']).toBe(
    Buffer.from(first).toString('base64url'),
  )
  expect(openOctetSigner({ ...place, owner: '_a.c' }).publicKey).not.toEqual(first)
  expect(readdirSync(join(dataFolder, 'keys'))).toEqual(['_a.b.EdDSA.sealed', '_a.c.EdDSA.sealed'])
  expect(() => openOctetSigner({ ...place, secret: 'another' })).toThrow()
})
