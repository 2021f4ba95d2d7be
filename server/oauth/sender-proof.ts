/**
 * DPoP at the token endpoint (RFC 9449 §4.3): which key does the caller hold right now? The base library's own check is
 * not used: it finds and then saves a replay, and lets pass forms we refuse.
 */
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
  /** The endpoint's own URL, from configuration. The request is a POST. */
  readonly endpoint: string
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
    async check({ tenant, proof, endpoint, now }) {
      if (proof === undefined) return undefined
      const jws = proof.length > MAX_PROOF_LENGTH ? undefined : readCompactJws(proof)
      if (jws === undefined) return refuse('proof_invalid', 'proof_malformed')
      const proven = readClaims(jws.payload, endpoint, now)
      if (typeof proven === 'string') return refuse('proof_invalid', proven)
      const held = keyOf(jws.header)
      if (held === undefined) return refuse('proof_invalid', 'proof_key_unacceptable')
      const claims = verifyJwt(jws, { types: PROOF, keyFor: () => held.key })
      if (typeof claims === 'string') return refuse('proof_invalid', `proof_${claims}`)
      // RFC 9449 §11.1: once per key and URI, for as long as the proof could be accepted.
      const isFirst = await replay.claimReplay({
        tenant,
        kind: 'dpop_proof',
        id: [held.jkt, endpoint, proven.jti],
        expiresAt: Math.floor(proven.iat) + WINDOW + 1,
      })
      return isFirst ? { jkt: held.jkt } : refuse('proof_replayed')
    },
  }
}

/** Cheap and public first: what needs no cryptography. The guard that fails, by name. */
function readClaims(
  claims: JsonObject,
  endpoint: string,
  now: number,
): { readonly jti: string; readonly iat: number } | string {
  const { jti, htm, htu } = claims
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH) return 'proof_jti'
  if (htm !== 'POST') return 'proof_method'
  if (typeof htu !== 'string' || !isEndpoint(htu, endpoint)) return 'proof_uri'
  const iat = readNumericDate(claims['iat'])
  return iat === undefined || Math.abs(now - iat) > WINDOW ? 'proof_time' : { jti, iat }
}

/** RFC 9449 §4.3: without query and fragment, after syntax- and scheme-based normalisation. */
function isEndpoint(htu: string, endpoint: string): boolean {
  if (htu === endpoint) return true
  if (htu.length > 2048) return false
  const url = URL.parse(htu)
  if (url === null || url.username !== '' || url.password !== '') return false
  url.search = ''
  url.hash = ''
  return unescaped(url.href) === unescaped(new URL(endpoint).href)
}

/** RFC 3986 §6.2.2.2: an escaped unreserved character is the character itself. */
function unescaped(href: string): string {
  return href.replace(/%([0-9A-Fa-f]{2})/g, (escape, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase()
  })
}
