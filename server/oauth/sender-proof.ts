/**
 * DPoP at our endpoints (RFC 9449 §4.3): which key does the caller hold right now? The base library's own check is
 * not used: it finds and then saves a replay, and lets pass forms we refuse.
 */
import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { thumbprint } from '../../keys/signer.ts'
import { readVerificationKey, type VerificationKey } from '../../keys/verification-key.ts'
import type { UnverifiedHeader } from '../../lib/src/compact-jws.ts'
import { isJsonObject, type JsonObject } from '../../lib/src/strict-json.ts'
import type { ProvenKey } from '../core/input-token.ts'
import { type Refusal, refuse } from '../core/refusal.ts'
import type { ReplayGuard } from '../use-cases/ports.ts'
import { readCompactJws, readNumericDate, verifyJwt } from './verified-jwt.ts'

const PROOF: ReadonlySet<string> = new Set(['dpop+jwt'])
const MAX_PROOF_LENGTH = 8192
const MAX_JTI_LENGTH = 256
/** Seconds a proof's `iat` may lie from our clock, either way. */
const WINDOW = 60
/** Characters of a JWK worth keeping: an RSA key of 4096 bits has about 750. */
const LONGEST_KEPT = 1024

export interface ProofRequest {
  readonly tenant: string
  /** Value of the DPoP header; undefined where absent. Several headers arrive joined and fail as one. */
  readonly proof: string | undefined
  readonly method: string
  /** The request's own URL without its query: from configuration, never from the Host header. */
  readonly url: string
  /** The access token the proof comes with, and the thumbprint it is bound to; undefined at a token endpoint. */
  readonly presented?: { readonly token: string; readonly jkt: string }
  /** Whether the proof's `nonce` is a good one here; undefined where none is asked for. Told once, and of proofs alone. */
  readonly takesNonce?: ((nonce: unknown) => boolean) | undefined
  readonly now: number
}

export interface ProofChecker {
  /** The proven key, undefined where no proof was sent, or a refusal. Single use is claimed after the signature. */
  check(request: ProofRequest): Promise<ProvenKey | Refusal>
}

interface HeldKey {
  readonly jkt: string
  readonly key: VerificationKey
}

export function createProofChecker(replay: ReplayGuard): ProofChecker {
  // Keys are attacker-chosen: few, short, and kept by their whole text, so that no other form of a key passes for it.
  const kept = new LRUCache<string, HeldKey>({ max: 2000 })

  function keyOf(header: UnverifiedHeader): HeldKey | undefined {
    const { jwk } = header.members
    if (!isJsonObject(jwk)) return undefined
    const text = JSON.stringify(jwk)
    const known = kept.get(text)
    if (known !== undefined) return known
    // RFC 9449 §4.2: public members only; readVerificationKey refuses a private or symmetric key.
    const key = readVerificationKey(jwk, ['ES256', 'EdDSA', 'RS256'])
    if (key === undefined) return undefined
    const held = { jkt: thumbprint(jwk), key }
    if (text.length <= LONGEST_KEPT) kept.set(text, held)
    return held
  }

  return {
    async check(request) {
      const { tenant, proof, url, presented, takesNonce } = request
      if (proof === undefined) return undefined
      const jws = proof.length > MAX_PROOF_LENGTH ? undefined : readCompactJws(proof)
      if (jws === undefined) return refuse('proof_invalid', 'proof_malformed')
      const proven = readClaims(jws.payload, request)
      if (typeof proven === 'string') return refuse('proof_invalid', proven)
      // RFC 9449 §8, §11.3: before the signature, so that a proof without a good nonce costs little and spends nothing.
      const { nonce } = jws.payload
      if (takesNonce !== undefined && !takesNonce(nonce)) {
        const guard = nonce === undefined ? 'proof_nonce_missing' : 'proof_nonce_unknown'
        return refuse('proof_nonce_required', guard)
      }
      const held = keyOf(jws.header)
      if (held === undefined) return refuse('proof_invalid', 'proof_key_unacceptable')
      // RFC 9449 §4.3 (12): a good proof by another key is no proof for this token.
      if (presented !== undefined && presented.jkt !== held.jkt) {
        return refuse('proof_invalid', 'proof_key_mismatch')
      }
      const claims = verifyJwt(jws, { types: PROOF, keyFor: () => held.key })
      if (typeof claims === 'string') return refuse('proof_invalid', `proof_${claims}`)
      // RFC 9449 §11.1: once per key and URI, for as long as the proof could be accepted.
      const isFirst = await replay.claimReplay({
        tenant,
        kind: 'dpop_proof',
        id: [held.jkt, url, proven.jti],
        expiresAt: Math.floor(proven.iat) + WINDOW + 1,
      })
      return isFirst ? { jkt: held.jkt } : refuse('proof_replayed')
    },
  }
}

/** Cheap and public first: what needs no cryptography. The guard that fails, by name. */
function readClaims(
  claims: JsonObject,
  { method, url, presented, now }: ProofRequest,
): { readonly jti: string; readonly iat: number } | string {
  const { jti, htm, htu, ath } = claims
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH) return 'proof_jti'
  if (htm !== method) return 'proof_method'
  if (typeof htu !== 'string' || !isSameUrl(htu, url)) return 'proof_uri'
  // RFC 9449 §4.3 (11): with an access token the proof names it.
  if (presented !== undefined && ath !== hashOf(presented.token)) return 'proof_token'
  const iat = readNumericDate(claims['iat'])
  return iat === undefined || Math.abs(now - iat) > WINDOW ? 'proof_time' : { jti, iat }
}

/** RFC 9449 §4.3: without query and fragment, after syntax- and scheme-based normalisation. */
function isSameUrl(htu: string, expected: string): boolean {
  if (htu === expected) return true
  if (htu.length > 2048) return false
  const url = URL.parse(htu)
  if (url === null || url.username !== '' || url.password !== '') return false
  url.search = ''
  url.hash = ''
  return unescaped(url.href) === unescaped(new URL(expected).href)
}

function hashOf(token: string): string {
  return createHash('sha256').update(token, 'ascii').digest('base64url')
}

/** RFC 3986 §6.2.2.2: an escaped unreserved character is the character itself. */
function unescaped(href: string): string {
  return href.replace(/%([0-9A-Fa-f]{2})/g, (escape, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase()
  })
}
