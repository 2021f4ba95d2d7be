/** A verifier for one resource, the issuer's key it trusts, and an agent's key its tokens are bound to. */
import { VerificationError } from '../../lib/src/errors.ts'
import type { VerifierOptions } from '../../lib/src/options.ts'
import { createVerifier, type RouteNeed, type Verifier } from '../../lib/src/verifier.ts'
import {
  API,
  aKey,
  aProof,
  type Claims,
  chainClaims,
  ISSUER,
  NOW,
  signToken,
  type TestKey,
} from './chain-token.ts'

export const NEED: RouteNeed = { scope: 'ledger:propose' }
export const URL_CALLED = `${API}/entries`

export interface Fixture {
  readonly issuerKey: TestKey
  readonly agentKey: TestKey
  readonly verifier: Verifier
  /** A verifier of the same resource with other options. */
  with(options: Partial<VerifierOptions>): Verifier
  /** Claims bound to the agent's key. */
  claims(shape?: Parameters<typeof chainClaims>[0]): Claims
  /** Verifies a token signed over these claims, with a good proof; resolves to the reason or `accepted`. */
  outcome(claims: Claims, header?: Claims, verifier?: Verifier, need?: RouteNeed): Promise<string>
  /** The same for a token as text. */
  outcomeOf(token: string, verifier?: Verifier, need?: RouteNeed): Promise<string>
}

export async function aFixture(): Promise<Fixture> {
  const issuerKey = await aKey('ES256', 'k1')
  const agentKey = await aKey('ES256', 'agent')
  const build = (options: Partial<VerifierOptions> = {}): Verifier => {
    const keys =
      'jwksUri' in options || 'fetch' in options ? {} : { jwks: { keys: [issuerKey.publicJwk] } }
    return createVerifier({
      issuer: ISSUER,
      audience: API,
      revocation: 'off',
      now: () => NOW,
      ...keys,
      ...options,
    })
  }
  const verifier = build()
  const outcomeOf: Fixture['outcomeOf'] = async (token, used = verifier, need = NEED) => {
    const proof = await aProof(agentKey, { token })
    return reasonOf(
      used.verify({ token, proof, method: 'GET', url: URL_CALLED, scheme: 'DPoP' }, need),
    )
  }
  return {
    issuerKey,
    agentKey,
    verifier,
    with: build,
    claims: (shape = {}) => chainClaims({ cnf: { jkt: agentKey.thumbprint }, ...shape }),
    outcome: async (claims, header, used, need) =>
      outcomeOf(await signToken(issuerKey, claims, header), used, need),
    outcomeOf,
  }
}

/** `accepted`, or the reason of the refusal; anything else is rethrown. */
export async function reasonOf(verification: Promise<unknown>): Promise<string> {
  try {
    await verification
    return 'accepted'
  } catch (error) {
    if (error instanceof VerificationError) return error.reason
    throw error
  }
}
