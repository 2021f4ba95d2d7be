/**
 * DPoP proofs at a resource server: every check of RFC 9449 §4.3, cheap ones before the signature, the claim on
 * single use after it (so that nobody can use up another's `jti`).
 */
import { readCompactJws, type UnverifiedJws } from './compact-jws.ts'
import { VerificationError } from './errors.ts'
import { type FaultListener, wordsOf } from './fault.ts'
import {
  importPublicKey,
  type PublicMembers,
  readAlgorithm,
  readPublicMembers,
  sha256,
  thumbprintOf,
  verifySignature,
} from './public-key.ts'
import { type ClaimReplay, ReplayFull } from './replay.ts'
import { isJsonObject } from './strict-json.ts'
import { normalTarget } from './url.ts'

/** Seconds before and after now in which a proof may have been made (RFC 9449 §11.1). */
export const PROOF_WINDOW_SECONDS = 60
const MAX_PROOF_LENGTH = 8_192
const MAX_PROOF_ID_LENGTH = 256

export interface ProofFacts {
  readonly proof: string
  readonly token: string
  readonly method: string
  /** Absolute, from configuration: never from the Host header. */
  readonly url: string
  /** `cnf.jkt` of the token. */
  readonly thumbprint: string
}

export interface ProofDeps {
  readonly now: () => number
  /** undefined: single use is checked elsewhere. */
  readonly claimReplay: ClaimReplay | undefined
  readonly onFault: FaultListener
}

/** Resolves when the proof holds for this request, token and key; throws VerificationError otherwise. */
export async function verifyProof(deps: ProofDeps, facts: ProofFacts): Promise<void> {
  const jws = readCompactJws(facts.proof, { maxLength: MAX_PROOF_LENGTH })
  if (jws === undefined) throw new VerificationError('proof_malformed')
  const key = readProofKey(jws)
  const { jti, iat, ath, target } = readProofClaims(jws, facts)
  if (Math.abs(deps.now() - iat) > PROOF_WINDOW_SECONDS)
    throw new VerificationError('proof_time_refused')
  if (ath !== (await sha256(facts.token))) throw new VerificationError('proof_token_mismatch')
  // RFC 9449 §4.3 (12): a good proof by another key is no proof for this token.
  if ((await thumbprintOf(key)) !== facts.thumbprint)
    throw new VerificationError('proof_key_mismatch')
  const imported = await importPublicKey(key)
  if (imported === undefined) throw new VerificationError('proof_key_refused')
  if (!(await verifySignature(imported, jws.signingInput, jws.signature)))
    throw new VerificationError('proof_signature_invalid')
  const id = await sha256(JSON.stringify([facts.thumbprint, target, jti]))
  await claimOnce(deps, { id, expiresAt: iat + PROOF_WINDOW_SECONDS + 1 })
}

function readProofKey({ header }: UnverifiedJws): PublicMembers {
  // RFC 9449 §4.3 (4), with the prefix RFC 7515 §4.1.9 lets a typ leave out.
  if (!/^(application\/)?dpop\+jwt$/i.test(header.typ ?? ''))
    throw new VerificationError('proof_type_wrong')
  const algorithm = readAlgorithm(header.alg)
  if (algorithm === undefined) throw new VerificationError('proof_algorithm_refused')
  const { jwk } = header.members
  const key = isJsonObject(jwk) ? readPublicMembers(jwk) : undefined
  if (key === undefined) throw new VerificationError('proof_key_refused')
  if (key.algorithm !== algorithm) throw new VerificationError('proof_algorithm_refused')
  return key
}

interface ProofClaims {
  readonly jti: string
  readonly iat: number
  readonly ath: string
  /** The URL in normal form. */
  readonly target: string
}

function readProofClaims({ payload }: UnverifiedJws, facts: ProofFacts): ProofClaims {
  const { jti, iat, htm, htu, ath } = payload
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_PROOF_ID_LENGTH)
    throw new VerificationError('proof_malformed')
  if (typeof iat !== 'number' || !Number.isFinite(iat))
    throw new VerificationError('proof_malformed')
  if (typeof htm !== 'string' || typeof htu !== 'string')
    throw new VerificationError('proof_malformed')
  if (typeof ath !== 'string') throw new VerificationError('proof_token_mismatch')
  if (htm !== facts.method) throw new VerificationError('proof_method_mismatch')
  const target = normalTarget(htu)
  if (target === undefined || target !== normalTarget(facts.url))
    throw new VerificationError('proof_url_mismatch')
  return { jti, iat, ath, target }
}

async function claimOnce(
  { claimReplay, onFault }: ProofDeps,
  claim: { readonly id: string; readonly expiresAt: number },
): Promise<void> {
  if (claimReplay === undefined) return
  let first: boolean
  try {
    first = await claimReplay(claim)
  } catch (error) {
    const full = error instanceof ReplayFull
    onFault({ kind: full ? 'replay_full' : 'replay_failed', detail: wordsOf(error) })
    throw new VerificationError('replay_unavailable')
  }
  // Only a plain yes is a yes.
  if (first !== true) throw new VerificationError('proof_replayed')
}
