/** The examples of the RFCs, held against both readers of JWTs and against what thumbprints and proofs are read with. */
import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { parseCertificate } from '../../keys/certificate.ts'
import { thumbprint } from '../../keys/signer.ts'
import { forwardedCertificate } from '../../lib/src/certificate.ts'
import { readCompactJws } from '../../lib/src/compact-jws.ts'
import { verifyProof } from '../../lib/src/dpop.ts'
import { readPublicMembers, sha256 } from '../../lib/src/public-key.ts'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import { TextCache } from '../../lib/src/text-cache.ts'
import { createProofChecker } from '../../server/oauth/sender-proof.ts'
import { JUDGES } from './judges.ts'
import examples from './rfc-examples.json' with { type: 'json' }

const { 'A.1': mac, 'A.2': rs256, 'A.3': es256, 'A.4': es512 } = examples.rfc7515
const compact = (
  { header, signature }: { readonly header: string; readonly signature: string },
  payload = examples.claims,
): string => `${header}.${payload}.${signature}`

const hmac = (text: string): string =>
  createHmac('sha256', Buffer.from(mac.jwk.k, 'base64url')).update(text).digest('base64url')

describe.each(JUDGES)('RFC 7515 for $name', ({ takesToken, takesSignature, algorithms }) => {
  test.each([
    ['A.2, RS256', rs256],
    ['A.3, ES256', es256],
  ])('%s is taken, with its own key alone', async (_, example) => {
    const token = compact(example)
    expect(await takesToken(token, [example.jwk])).toBe(true)
    expect(
      await takesToken(
        token,
        [rs256.jwk, es256.jwk].filter((jwk) => jwk !== example.jwk),
      ),
    ).toBe(false)
    // One octet of the signature, and one of the claims.
    expect(await takesToken(`${token.slice(0, -4)}AAAA`, [example.jwk])).toBe(false)
    expect(await takesToken(token.replace('eyJpc3Mi', 'eyJpc3Ni'), [example.jwk])).toBe(false)
    expect(readCompactJws(token)?.payload).toEqual({
      iss: 'joe',
      exp: 1_300_819_380,
      'http://example.com/is_root': true,
    })
  })

  test('A.1, HS256: a good MAC, and refused with its own key', async () => {
    expect(hmac(`${mac.header}.${examples.claims}`)).toBe(mac.signature)
    for (const jwk of [mac.jwk, { ...mac.jwk, alg: 'HS256', use: 'sig' }])
      expect(await takesToken(compact(mac), [jwk])).toBe(false)
  })

  test('A.4, ES512: taken only where it is an algorithm, and no claims either way', async () => {
    const token = compact(es512, es512.payload)
    expect(await takesToken(token, [{ ...es512.jwk, alg: 'ES512' }])).toBe(
      algorithms.includes('ES512'),
    )
    expect(readCompactJws(token)).toBeUndefined()
  })

  test('A.5, none: refused with every key', async () => {
    for (const { jwk } of [mac, rs256, es256])
      expect(await takesToken(`${examples['rfc7515-A.5']}.${examples.claims}.`, [jwk])).toBe(false)
  })

  test('A.6 and A.7: a JSON serialisation is no token', async () => {
    const signatures = [rs256, es256].map(({ header, signature }) => ({
      protected: header,
      signature,
    }))
    const general = { payload: examples.claims, signatures }
    const flattened = { payload: examples.claims, ...signatures[1] }
    for (const token of [general, flattened].map((value) => JSON.stringify(value)))
      expect(await takesToken(token, [es256.jwk])).toBe(false)
  })

  test('RFC 7797 §4.2: an unencoded payload is refused', async () => {
    const { header, signature } = examples['rfc7797-4.2']
    expect(hmac(`${header}.$.02`)).toBe(signature)
    for (const token of [`${header}.$.02.${signature}`, `${header}..${signature}`])
      expect(await takesToken(token, [mac.jwk])).toBe(false)
  })

  test('RFC 8037 A.4: Ed25519 under either name of the algorithm, on its own curve alone', async () => {
    const { 'A.1': secret, 'A.2': key, 'A.4': token } = examples.rfc8037
    expect(await takesToken(token, [key])).toBe(true)
    // RFC 9864 §2.2, §3.1
    for (const alg of ['EdDSA', 'Ed25519'])
      expect(await takesToken(token, [{ ...key, alg }])).toBe(true)
    for (const alg of ['Ed448', 'ES256'])
      expect(await takesToken(token, [{ ...key, alg }])).toBe(false)
    for (const crv of ['Ed448', 'X25519', 'P-256'])
      expect(await takesToken(token, [{ ...key, crv }])).toBe(false)
    // Whoever publishes the private key speaks for nobody.
    expect(await takesToken(token, [secret])).toBe(false)
  })

  test('RFC 9449 §4.1, §7.1: the signatures of the proofs', async () => {
    for (const { proof } of [examples.rfc9449['4.1'], examples.rfc9449['7.1']]) {
      const jws = readCompactJws(proof)
      const message = Buffer.from(jws?.signingInput ?? '')
      const jwk = jws?.header.members['jwk'] as JsonObject
      expect(await takesSignature(jwk, message, jws?.signature ?? new Uint8Array())).toBe(true)
    }
  })
})

describe('thumbprints', () => {
  test.each([
    ['RFC 7638 §3.1', examples['rfc7638-3.1'].jwk, examples['rfc7638-3.1'].thumbprint],
    ['RFC 8037 A.3', examples.rfc8037['A.2'], examples.rfc8037['A.3']],
  ])('%s, for both', async (_, jwk, expected) => {
    expect(thumbprint(jwk)).toBe(expected)
    expect(await sha256(JSON.stringify(readPublicMembers(jwk)?.members))).toBe(expected)
  })

  test('RFC 8705 A: of the certificate, for both', async () => {
    const { certificate, 'x5t#S256': expected } = examples['rfc8705-A']
    expect(parseCertificate(Buffer.from(certificate, 'base64'))?.thumbprint).toBe(expected)
    const read = forwardedCertificate(() => true)
    expect(await read({ rawHeaders: ['Client-Cert', `:${certificate}:`] })).toBe(expected)
  })

  test('RFC 9449 §7.1: ath', async () => {
    expect(await sha256(examples.rfc9449.token)).toBe(examples.rfc9449.ath)
  })
})

describe('RFC 9449', () => {
  const { jkt, token, '4.1': asked, '7.1': shown } = examples.rfc9449

  test('§4.1, §6.1: the server takes the proof of a token request, once, and knows its key', async () => {
    const { proof, method, url, iat } = asked
    const ids: unknown[] = []
    const checker = createProofChecker({
      claimReplay: async ({ id }) => ids.push(id) === 1,
    })
    const request = { tenant: 'acme', proof, method, url, now: iat + 1 }
    expect(await checker.check(request)).toEqual({ jkt })
    expect(await checker.check(request)).toMatchObject({ reason: 'proof_replayed' })
    expect(ids[0]).toEqual([jkt, url, '-BwC3ESc6acc2lTc'])
    for (const other of [
      { method: 'GET' },
      { url: 'https://server.example.com/other' },
      { now: iat + 61 },
      { proof: shown.proof },
      { presented: { token, jkt } },
    ])
      expect(await checker.check({ ...request, ...other })).toMatchObject({
        reason: 'proof_invalid',
      })
  })

  test('§7.1: both take the proof that comes with the token', async () => {
    const { proof, method, url, iat } = shown
    const checker = createProofChecker({ claimReplay: async () => true })
    const request = { tenant: 'acme', proof, method, url, presented: { token, jkt }, now: iat }
    expect(await checker.check(request)).toEqual({ jkt })
    const deps = {
      now: () => iat,
      claimReplay: undefined,
      nonces: undefined,
      proofKeys: new TextCache<never>(0),
      onFault: () => undefined,
    }
    const facts = { proof, token, method, url, thumbprint: jkt }
    expect(await verifyProof(deps, facts)).toBeUndefined()
    for (const [other, reason] of [
      [{ token: `${token}x` }, 'proof_token_mismatch'],
      [{ proof: asked.proof }, 'proof_token_mismatch'],
      [{ url: asked.url }, 'proof_url_mismatch'],
      [{ thumbprint: examples['rfc7638-3.1'].thumbprint }, 'proof_key_mismatch'],
    ] as const)
      await expect(verifyProof(deps, { ...facts, ...other })).rejects.toMatchObject({ reason })
  })
})
