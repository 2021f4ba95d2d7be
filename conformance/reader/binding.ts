/** Rule 8 of docs/chain-format.md §2: `cnf` (RFC 7800 §3.1), the scheme, the certificate (RFC 8705 §3) and the proof. */
import type { Case } from '../vectors/vector.ts'
import type { JsonObject } from './json.ts'
import { proofFault } from './proof.ts'
import { firstBroken, hasOnly, objectAt, type Sentence, textAt } from './sentence.ts'

interface Bound {
  /** Undefined: the token is bound to nothing. */
  readonly cnf: JsonObject | undefined
  readonly case: Case
}

/** base64url of a SHA-256. */
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/
const METHODS = ['jkt', 'x5t#S256']

const SENTENCES: readonly Sentence<Bound>[] = [
  ['binding_unsupported', ({ cnf }) => cnf === undefined || isCheckable(cnf)],
  [
    // RFC 9449 §7.1: a token that has `jkt` comes under DPoP, any other under Bearer.
    'scheme_mismatch',
    ({ cnf, case: { request } }) =>
      request.scheme === undefined || request.scheme === (cnf?.has('jkt') ? 'DPoP' : 'Bearer'),
  ],
  [
    'binding_missing',
    ({ cnf, case: c }) => cnf !== undefined || c.configuration.bearer === 'allowed',
  ],
  [
    'certificate_missing',
    ({ cnf, case: { request } }) =>
      !cnf?.has('x5t#S256') || request.certificate_thumbprint !== undefined,
  ],
  [
    'certificate_mismatch',
    ({ cnf, case: { request } }) =>
      !cnf?.has('x5t#S256') || request.certificate_thumbprint === cnf.get('x5t#S256'),
  ],
]

export function bindingFault(claims: JsonObject, given: Case): string | undefined {
  const cnf = claims.has('cnf') ? objectAt(claims, 'cnf') : undefined
  const fault = firstBroken({ cnf, case: given }, SENTENCES)
  if (fault !== undefined) return fault
  return cnf?.has('jkt') ? proofFault(given, textAt(cnf, 'jkt')) : undefined
}

function isCheckable(cnf: JsonObject): boolean {
  const areThumbprints = [...cnf.keys()].every((name) => THUMBPRINT.test(textAt(cnf, name)))
  return cnf.size > 0 && hasOnly(cnf, METHODS) && areThumbprints
}
