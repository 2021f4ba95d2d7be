/**
 * DPoP proofs at a resource server: every check of RFC 9449 §4.3, cheap ones before the signature, the claim on
 * single use after it (so that nobody can use up another's `jti`).
 */
import { readCompactJws, type UnverifiedJws } from './compact-jws.ts'
import { VerificationError } from './errors.ts'
import { type FaultListener, wordsOf } from './fault.ts'
import type { NonceCheck } from './nonces.ts'
import {
  importPublicKey,
  type PublicMembers,
  readAlgorithm,
  readPublicMembers,
  sha256,
  type VerificationKey,
  verifySignature,
} from './public-key.ts'
import { type ClaimReplay, ReplayFull } from './replay.ts'
import { isJsonObject } from './strict-json.ts'
import type { TextCache } from './text-cache.ts'
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
  /** undefined: proofs need no nonce. */
  readonly nonces: NonceCheck | undefined
  /** Imported before, by thumbprint: importing a key costs half of what verifying with it does. */
  readonly proofKeys: TextCache<ProofKey>
  readonly onFault: FaultListener
}

export interface ProofKey {
  /** RFC 7638 §3.3: the required members in order, without white space. */
  readonly text: string
  readonly key: VerificationKey
}

/**
 * Resolves when the proof holds for this request, token and key, to the nonce its sender should use from now on, if another;
 * throws VerificationError otherwise.
 */
export async function verifyProof(deps: ProofDeps, facts: ProofFacts): Promise<string | undefined> {
  const jws = readCompactJws(facts.proof, { maxLength: MAX_PROOF_LENGTH })
  if (jws === undefined) throw new VerificationError('proof_malformed')
  const read = readProofKey(jws)
  const { jti, iat, ath, target } = readProofClaims(jws, facts)
  if (Math.abs(deps.now() - iat) > PROOF_WINDOW_SECONDS)
    throw new VerificationError('proof_time_refused')
  // RFC 9449 §4.3 (10), §11.3: no proof without a nonce, whoever asks, once this resource wants one.
  const nonce = await deps.nonces?.check(jws.payload['nonce'])
  if (nonce?.holds === false) throw new VerificationError('proof_nonce_required', nonce.next)
  if (ath !== (await sha256(facts.token))) throw new VerificationError('proof_token_mismatch')
  const key = await findProofKey(deps.proofKeys, read, facts.thumbprint)
  if (!(await verifySignature(key, jws.signingInput, jws.signature)))
    throw new VerificationError('proof_signature_invalid')
  const id = await sha256(JSON.stringify([facts.thumbprint, target, jti]))
  await claimOnce(deps, { id, expiresAt: iat + PROOF_WINDOW_SECONDS + 1 })
  return nonce?.next
}

async function findProofKey(
  keys: TextCache<ProofKey>,
  read: PublicMembers,
  thumbprint: string,
): Promise<VerificationKey> {
  const text = JSON.stringify(read.members)
  const known = keys.find(thumbprint)
  if (known?.text === text) return known.key
  // RFC 9449 §4.3 (12): a good proof by another key is no proof for this token.
  if ((await sha256(text)) !== thumbprint) throw new VerificationError('proof_key_mismatch')
  const key = await importPublicKey(read)
  if (key === undefined) throw new VerificationError('proof_key_refused')
  keys.keep(thumbprint, { text, key })
  return key
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
  if (
    typeof jti !== 'string' ||
    jti === '' ||
    jti.length > MAX_PROOF_ID_LENGTH ||
    typeof iat !== 'number' ||
    !Number.isFinite(iat) ||
    typeof htm !== 'string' ||
    typeof htu !== 'string'
  )
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
