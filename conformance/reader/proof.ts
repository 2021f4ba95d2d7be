/** A DPoP proof at a resource server: RFC 9449 §4.3, with §7.1 and §9. That it is used once is not for one case alone to show. */
import type { Case } from '../vectors/vector.ts'
import { type Compact, hasType, readCompact } from './compact.ts'
import { isObject } from './json.ts'
import { algorithmNamed, digestOf, isSignedBy, type Key, readKey } from './key.ts'
import {
  firstBroken,
  isText,
  isTextOf,
  numberAt,
  objectAt,
  passes,
  type Sentence,
  type Test,
  textAt,
} from './sentence.ts'
import { normalTarget, targetOf } from './target.ts'

const LONGEST_PROOF = 8192
const LONGEST_ID = 256
const WINDOW_SECONDS = 60

interface Shown {
  readonly proof: Compact
  readonly case: Case
}

interface Keyed extends Shown {
  readonly key: Key
  /** `cnf.jkt` of the token. */
  readonly thumbprint: string
}

const isFinite: Test = (value) => Number.isFinite(value)
const isId = isTextOf(LONGEST_ID)

const HEADER: readonly Sentence<Shown>[] = [
  ['proof_type_wrong', ({ proof }) => hasType(proof, 'dpop+jwt')],
  ['proof_algorithm_refused', ({ proof }) => algorithmOf(proof) !== undefined],
  ['proof_key_refused', ({ proof }) => isObject(proof.header.get('jwk'))],
]

const CLAIMS: readonly Sentence<Keyed>[] = [
  ['proof_algorithm_refused', ({ proof, key }) => algorithmOf(proof) === key.algorithm],
  [
    'proof_malformed',
    ({ proof }) => passes(proof.payload, { jti: isId, iat: isFinite, htm: isText, htu: isText }),
  ],
  ['proof_token_mismatch', ({ proof }) => passes(proof.payload, { ath: isText })],
  ['proof_method_mismatch', ({ proof, case: c }) => proof.payload.get('htm') === c.request.method],
  ['proof_url_mismatch', isForTarget],
  [
    'proof_time_refused',
    ({ proof, case: { now } }) => Math.abs(now - numberAt(proof.payload, 'iat')) <= WINDOW_SECONDS,
  ],
  [
    'proof_nonce_required',
    ({ proof, case: { configuration } }) =>
      configuration.nonces?.some((nonce) => nonce === proof.payload.get('nonce')) ?? true,
  ],
  [
    'proof_token_mismatch',
    ({ proof, case: { token } }) => textAt(proof.payload, 'ath') === digestOf(token),
  ],
  ['proof_key_mismatch', ({ key, thumbprint }) => key.thumbprint === thumbprint],
  ['proof_key_refused', ({ key }) => key.object() !== undefined],
  ['proof_signature_invalid', ({ proof, key }) => isSignedBy(proof, key)],
]

/** The reason why the case's proof does not hold for the key of this thumbprint. */
export function proofFault(given: Case, thumbprint: string): string | undefined {
  if (given.request.proof === undefined) return 'proof_missing'
  const proof = readCompact(given.request.proof, LONGEST_PROOF)
  if (proof === undefined) return 'proof_malformed'
  const unheaded = firstBroken({ proof, case: given }, HEADER)
  if (unheaded !== undefined) return unheaded
  const key = readKey(objectAt(proof.header, 'jwk'))
  if (key === undefined) return 'proof_key_refused'
  return firstBroken({ proof, case: given, key, thumbprint }, CLAIMS)
}

function algorithmOf({ header }: Compact): string | undefined {
  return algorithmNamed(textAt(header, 'alg'))
}

function isForTarget({ proof, case: { configuration, request } }: Keyed): boolean {
  const target = normalTarget(textAt(proof.payload, 'htu'))
  const wanted = normalTarget(targetOf(configuration.audience, request.url))
  return target !== undefined && target === wanted
}
