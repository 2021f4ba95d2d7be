/**
 * `cnf` (RFC 7800 §3.1): what binds a token to a key. Every member must be one that can be checked, and hold; a
 * method that is not known here never turns a bound token into a bearer token.
 */
import { type ProofDeps, verifyProof } from './dpop.ts'
import { VerificationError } from './errors.ts'
import type { Presentation } from './presentation.ts'
import type { JsonObject } from './strict-json.ts'

export interface ConfirmationRules extends ProofDeps {
  readonly bearer: 'refused' | 'allowed'
  /** Origin, and path prefix if any, under which clients reach this resource. */
  readonly publicUrl: string
}

// base64url of 32 bytes
const THUMBPRINT = /^[\w-]{43}$/

/**
 * Resolves when the sender holds every key the token is bound to, to the nonce of its next proof, if another; throws
 * VerificationError otherwise.
 */
export async function confirmSender(
  rules: ConfirmationRules,
  cnf: JsonObject | undefined,
  presented: Presentation,
): Promise<string | undefined> {
  const { jkt, 'x5t#S256': certificate } = readConfirmation(cnf)
  // RFC 9449 §7.1, §7.2: a DPoP-bound token comes under DPoP, no other token does.
  if (presented.scheme !== undefined && (presented.scheme === 'DPoP') !== (jkt !== undefined))
    throw new VerificationError('scheme_mismatch')
  if (cnf === undefined && rules.bearer !== 'allowed')
    throw new VerificationError('binding_missing')
  if (certificate !== undefined) {
    const { certificateThumbprint: given } = presented
    const shown = typeof given === 'function' ? await given() : given
    if (shown === undefined) throw new VerificationError('certificate_missing')
    if (shown !== certificate) throw new VerificationError('certificate_mismatch')
  }
  return jkt === undefined ? undefined : confirmProof(rules, jkt, presented)
}

async function confirmProof(
  rules: ConfirmationRules,
  thumbprint: string,
  { token, proof, method, url }: Presentation,
): Promise<string | undefined> {
  if (proof === undefined) throw new VerificationError('proof_missing')
  const target = publicTarget(rules.publicUrl, url)
  return verifyProof(rules, { proof, token, method, url: target, thumbprint })
}

interface Confirmation {
  readonly jkt?: string
  readonly 'x5t#S256'?: string
}

function readConfirmation(cnf: JsonObject | undefined): Confirmation {
  if (cnf === undefined) return {}
  const members = Object.entries(cnf)
  if (members.length === 0 || !members.every(isCheckable))
    throw new VerificationError('binding_unsupported')
  return cnf as Confirmation
}

function isCheckable([name, value]: readonly [string, unknown]): boolean {
  return /^(jkt|x5t#S256)$/.test(name) && typeof value === 'string' && THUMBPRINT.test(value)
}

/** Path and query of the request at the configured place: whatever Host header or absolute URL came with it. */
function publicTarget(publicUrl: string, url: string): string {
  if (url.startsWith('/')) return publicUrl + url
  if (!URL.canParse(url)) return publicUrl
  const { pathname, search } = new URL(url)
  return publicUrl + pathname + search
}
