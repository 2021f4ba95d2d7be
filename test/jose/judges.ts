/**
 * The two readers of JWTs in this project, the verifier's and the server's, as far as JOSE goes: form, key, algorithm, signature.
 * What the claims say is judged elsewhere, so a payload here may be any octets.
 */
import { ALGORITHMS, type VerifiedAlgorithm } from '../../keys/algorithm.ts'
import * as serverKey from '../../keys/verification-key.ts'
import { decodeBase64url } from '../../lib/src/base64url.ts'
import { readCompactJws, type UnverifiedJws } from '../../lib/src/compact-jws.ts'
import { findKey, readKeySet } from '../../lib/src/key-set.ts'
import * as libKey from '../../lib/src/public-key.ts'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import { keyByKid, verifyJwt } from '../../server/oauth/verified-jwt.ts'

export interface Judge {
  readonly name: 'the verifier' | 'the server'
  readonly algorithms: readonly string[]
  /** True where the token is one that a key of these signed. */
  readonly takesToken: (token: string, keys: readonly JsonObject[]) => Promise<boolean>
  /** True where the one key is taken and the signature over these bytes is its. */
  readonly takesSignature: (
    key: JsonObject,
    message: Buffer,
    signature: Uint8Array<ArrayBuffer>,
  ) => Promise<boolean>
}

/** The one form of both, with any octets as payload: read with `{}` in its place, then looked at with its own. */
function readForm(token: string): UnverifiedJws | undefined {
  const [header = '', payload = '', ...rest] = token.split('.')
  if (decodeBase64url(payload) === undefined) return undefined
  const jws = readCompactJws([header, 'e30', ...rest].join('.'))
  return jws && { ...jws, signingInput: `${header}.${payload}` }
}

/** As lib/src/access-token.ts: the header's algorithm, a key of it by its name, the signature. */
const VERIFIER: Judge = {
  name: 'the verifier',
  algorithms: libKey.SIGNATURE_ALGORITHMS,
  takesToken: async (token, keys) => {
    const jws = readForm(token)
    const set = readKeySet({ keys }, () => undefined)
    if (jws === undefined || typeof set === 'string') return false
    const algorithm = libKey.readAlgorithm(jws.header.alg)
    const key = algorithm && (await findKey(set, jws.header.kid, algorithm))
    if (key === undefined) return false
    return libKey.verifySignature(key, jws.signingInput, jws.signature)
  },
  takesSignature: async (jwk, message, signature) => {
    const read = libKey.readPublicMembers(jwk)
    const key = read && (await libKey.importPublicKey(read))
    if (key === undefined) return false
    const params = libKey.ALGORITHMS[key.algorithm]
    const holds = await crypto.subtle.verify(
      params,
      key.cryptoKey,
      signature,
      new Uint8Array(message),
    )
    const text = message.toString('latin1')
    // A signing input is ASCII: for one of those the verifier's own function is asked.
    if (!/^[\0-\x7f]*$/.test(text)) return holds
    const answer = await libKey.verifySignature(key, text, signature)
    if (answer !== holds) throw new Error('the verifier contradicts its algorithm table')
    return answer
  },
}

const SERVER_ALGORITHMS = Object.keys(ALGORITHMS) as VerifiedAlgorithm[]

/** As server/oauth/signer-key.ts, with every algorithm somebody may be trusted with. */
const SERVER: Judge = {
  name: 'the server',
  algorithms: SERVER_ALGORITHMS,
  takesToken: async (token, keys) => {
    const jws = readForm(token)
    if (jws === undefined) return false
    const typed = keys.flatMap((jwk) => serverKey.readVerificationKey(jwk, SERVER_ALGORITHMS) ?? [])
    const types = new Set(['', 'jwt'])
    const claims = verifyJwt(jws, { types, keyFor: (header) => keyByKid(typed, header) })
    return typeof claims !== 'string'
  },
  takesSignature: async (jwk, message, signature) => {
    const key = serverKey.readVerificationKey(jwk, SERVER_ALGORITHMS)
    // Its text is written as Latin-1, so any bytes are.
    return (
      key !== undefined && serverKey.verifySignature(key, message.toString('latin1'), signature)
    )
  },
}

export const JUDGES: readonly Judge[] = [VERIFIER, SERVER]
