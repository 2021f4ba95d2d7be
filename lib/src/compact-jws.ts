/**
 * The form of a compact JWS (RFC 7515 §7.1), before any cryptography: three canonical base64url parts, strict
 * JSON, typed header. Everything in it is still unverified; nothing here chooses a key or believes a claim.
 */
import { decodeBase64url } from './base64url.ts'
import { DEFAULT_MAX_DEPTH, type JsonObject, readStrictJson } from './strict-json.ts'

/** Characters of a whole token: checked before a single one is decoded. */
export const MAX_TOKEN_LENGTH = 16_384
/** Characters of a `kid`: it is a name to compare, never a path, a query or a URL (RFC 8725 §3.10). */
export const MAX_KID_LENGTH = 256

export interface CompactJwsLimits {
  readonly maxLength?: number
  readonly maxDepth?: number
}

export interface UnverifiedHeader {
  readonly alg: string
  readonly kid: string | undefined
  readonly typ: string | undefined
  /** Every member as written. `jku`, `x5u`, `x5c` and `jwk` are data here; a DPoP proof reads its `jwk`. */
  readonly members: JsonObject
}

export interface UnverifiedJws {
  readonly header: UnverifiedHeader
  readonly payload: JsonObject
  /** ASCII text the signature covers (RFC 7515 §5.1). */
  readonly signingInput: string
  readonly signature: Uint8Array<ArrayBuffer>
}

/** Returns undefined for anything but the one canonical spelling of a signed JSON object. Never throws. */
export function readCompactJws(
  token: string,
  limits: CompactJwsLimits = {},
): UnverifiedJws | undefined {
  if (token.length > (limits.maxLength ?? MAX_TOKEN_LENGTH)) return undefined
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  // A third dot is outside the alphabet, so a five-part JWE fails as a signature part.
  if (first <= 0 || second <= first + 1 || second === token.length - 1) return undefined

  const maxDepth = limits.maxDepth ?? DEFAULT_MAX_DEPTH
  const signature = decodeBase64url(token, second + 1)
  if (signature === undefined) return undefined
  const header = findHeader(token, first, maxDepth)
  if (header === undefined) return undefined
  const payload = readPart(token, first + 1, second, maxDepth)
  if (payload === undefined) return undefined
  return { header, payload, signingInput: token.slice(0, second), signature }
}

/** An issuer writes the same header on every token: the last one read is kept, by its exact text, and only if short. */
let lastText = ''
let lastHeader: UnverifiedHeader | undefined
const LONGEST_KEPT_HEADER = 256

function findHeader(token: string, end: number, maxDepth: number): UnverifiedHeader | undefined {
  if (end === lastText.length && token.startsWith(lastText)) return lastHeader
  const header = readHeader(readPart(token, 0, end, maxDepth))
  if (header === undefined || end > LONGEST_KEPT_HEADER) return header
  lastText = token.slice(0, end)
  lastHeader = header
  return header
}

function readPart(
  token: string,
  start: number,
  end: number,
  maxDepth: number,
): JsonObject | undefined {
  const bytes = decodeBase64url(token, start, end)
  return bytes === undefined ? undefined : readStrictJson(bytes, maxDepth)
}

function readHeader(members: JsonObject | undefined): UnverifiedHeader | undefined {
  if (members === undefined) return undefined
  // RFC 7515 §4.1.11, RFC 7797: no extension is understood here, an unencoded payload least of all.
  if (Object.hasOwn(members, 'crit') || Object.hasOwn(members, 'b64')) return undefined
  const { alg, kid, typ } = members
  if (typeof alg !== 'string' || alg === '') return undefined
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > MAX_KID_LENGTH))
    return undefined
  if (typ !== undefined && typeof typ !== 'string') return undefined
  return { alg, kid, typ, members }
}
