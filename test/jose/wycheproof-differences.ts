/**
 * Where we refuse what Wycheproof calls valid, each with its reason. The other way round there is nothing: no vector it calls
 * invalid is taken. docs/jose.md shows this list.
 */
import type { Judge } from './judges.ts'
import type { SignatureVector, TokenVector } from './wycheproof.ts'

export interface Difference {
  readonly title: string
  readonly reason: string
  /** Whose it is, in a word; both sides' where absent. */
  readonly only?: Judge['name']
  readonly holds: (vector: TokenVector | SignatureVector) => boolean
}

const isToken = (vector: TokenVector | SignatureVector): vector is TokenVector => 'token' in vector

function algOf(vector: TokenVector | SignatureVector): unknown {
  if (!isToken(vector)) return vector.keys[0]?.['alg']
  const [header = ''] = vector.token.split('.')
  try {
    return JSON.parse(Buffer.from(header, 'base64url').toString())['alg']
  } catch {
    return undefined
  }
}

const isNumbered =
  (file: string, ...ids: readonly number[]): Difference['holds'] =>
  (vector) =>
    vector.file === file && ids.includes(vector.tcId)

export const DIFFERENCES: readonly Difference[] = [
  {
    title: 'JWS with a MAC: HS256, HS384, HS512',
    reason:
      'a key that verifies could also sign; no shared secret is ever a key here (RFC 8725 §3.1, §3.5)',
    holds: (vector) => isToken(vector) && /^HS\d+$/.test(String(algOf(vector))),
  },
  {
    title: 'JWE',
    reason: 'nothing of ours is encrypted or decrypts: five parts are no token',
    holds: (vector) => isToken(vector) && vector.token.split('.').length === 5,
  },
  {
    title: 'RS384, RS512, PS256, PS384, PS512, ES384 and ES512',
    reason:
      'the issuer signs with ES256, EdDSA or RS256; the server takes the others of platforms and trusted issuers that are configured so',
    only: 'the verifier',
    holds: (vector) => /^(RS|PS)(384|512)$|^PS256$|^ES(384|512)$/.test(String(algOf(vector))),
  },
  {
    title: 'json_web_signature 346, 350: a PS384 signature by a key whose alg is PS256',
    reason: 'one key, one algorithm (RFC 8725 §3.1)',
    holds: isNumbered('json_web_signature', 346, 350),
  },
  {
    title: 'json_web_signature 347, 351: a key whose alg is ES521',
    reason: 'there is no such algorithm: ES512 is meant',
    holds: isNumbered('json_web_signature', 347, 351),
  },
  {
    title: 'json_web_signature 372, 373: characters outside the alphabet in header or payload',
    reason: 'a token has one spelling (RFC 7515 §2, rfc8725bis §3.14); ignoring them gives it many',
    holds: isNumbered('json_web_signature', 372, 373),
  },
  {
    title: 'RSA keys with the exponent 3',
    reason:
      'only 65537: small exponents forgive lax padding checks (CVE-2006-4339), and nobody needs one',
    holds: (vector) => !isToken(vector) && vector.keys[0]?.['e'] === 'Aw',
  },
]
