/** Keys that nobody may verify with (RFC 8725 §3.4), among the issuer's and in proofs: each with a signature that it would verify. */
import type { VerificationReason } from '../../../lib/src/errors.ts'
import { FAULTY_KEYS, type FaultyKey } from '../faulty-keys.ts'
import { aChain, aProof, aToken, eddsa, withProof } from './material.ts'
import { base64urlSha256, type Signer } from './signer.ts'
import { type Draft, rejected, type Theme } from './theme.ts'

/** One that no careful reader has to know: its numbers alone do not show what is wrong with it. */
const UNSEEN: ReadonlySet<string> = new Set(['CVE-2017-15361'])
const REQUIRED: readonly string[] = ['crv', 'e', 'kty', 'n', 'x', 'y']

/** As the key is shown: its thumbprint is that of the spelling. */
function signerOf({ alg, jwk, sign }: FaultyKey): Signer {
  const bare = jwk as Signer['bare']
  const thumbprint = base64urlSha256(JSON.stringify(bare, REQUIRED.toSorted()))
  return { kid: 'faulty', alg, jwk: { ...bare, kid: 'faulty' }, bare, thumbprint, sign }
}

const KEYS: readonly VerificationReason[] = ['signature_invalid', 'algorithm_refused']
const PROOFS: readonly VerificationReason[] = [
  'proof_signature_invalid',
  'proof_algorithm_refused',
  'proof_key_mismatch',
  'proof_malformed',
]

export function joseFaults(): Theme {
  const keys = FAULTY_KEYS.filter(({ reference }) => !UNSEEN.has(reference))
  return {
    name: 'jose-faults',
    description:
      'Keys that are none, each with a signature that it would verify: in the issuer’s JWK Set beside a good one, and in proofs.',
    vectors: [...keys.map(amongKeys), ...keys.map(inAProof)],
  }
}

const isRule = ({ reference }: FaultyKey): boolean => reference.startsWith('RFC')

const titleOf = (fault: FaultyKey): string =>
  isRule(fault) ? fault.name : `${fault.name} (${fault.reference})`

const rulesOf = (rule: string, fault: FaultyKey): readonly string[] =>
  isRule(fault) && fault.reference !== rule ? [rule, fault.reference] : [rule]

function amongKeys(fault: FaultyKey): Draft {
  const signer = signerOf(fault)
  return rejected(
    `signed with ${titleOf(fault)}`,
    rulesOf('RFC 8725 §3.4', fault),
    {
      token: aToken(aChain({ hops: 1 }), {}, signer),
      jwks: { keys: [eddsa.jwk, signer.jwk] },
    },
    ['key_unknown', ...KEYS],
  )
}

function inAProof(fault: FaultyKey): Draft {
  const signer = signerOf(fault)
  const token = aToken(aChain({ hops: 1, cnf: { jkt: signer.thumbprint } }))
  return rejected(
    `a proof with ${titleOf(fault)}`,
    rulesOf('RFC 9449 §4.3', fault),
    { token, request: withProof(aProof(token, {}, { signer })) },
    ['proof_key_refused', ...PROOFS],
  )
}
