/**
 * What the verifier is shown: delegated tokens over a chain of any depth, signed here. Bound to a certificate, a token
 * verifies without a proof, so that its own cost can be seen; bound to a key, it comes with a fresh proof.
 */
import { deflateSync } from 'node:zlib'
import type { Presentation } from '../lib/src/presentation.ts'
import {
  API,
  aKey,
  aProof,
  chainClaims,
  ISSUER,
  NOW,
  signToken,
  type TestKey,
} from '../test/support/chain-token.ts'

export const VERIFIER_OPTIONS = {
  issuer: ISSUER,
  audience: API,
  revocation: 'off',
  now: () => NOW,
} as const
export const NEED = { scope: 'ledger:propose' } as const
export const URL_CALLED = `${API}/entries`

/** Of the smallest list an issuer publishes: 65,536 indexes of two bits. */
const LIST_BYTES = 16_384
const CERTIFICATE = 'A'.repeat(43)

export interface Presenter {
  readonly issuerKey: TestKey
  readonly agentKey: TestKey
  /** So many different tokens with the same claims. */
  tokens(depth: number, count: number): Promise<readonly string[]>
  withCertificate(token: string): Presentation
  /** The list at this address, in which every token is valid, as text. */
  statusList(uri: string): Promise<string>
  /** So many requests with one token, each with a proof of its own. */
  withProofs(depth: number, count: number): Promise<readonly Presentation[]>
}

export async function aPresenter(): Promise<Presenter> {
  const issuerKey = await aKey('ES256', 'k1')
  const agentKey = await aKey('ES256', 'agent')
  const token = (depth: number, cnf: Readonly<Record<string, string>>): Promise<string> =>
    signToken(issuerKey, chainClaims({ depth, cnf }))
  return {
    issuerKey,
    agentKey,
    tokens: (depth, count) =>
      // ES256 signatures are random: the same claims make another token each time.
      Promise.all(Array.from({ length: count }, () => token(depth, { 'x5t#S256': CERTIFICATE }))),
    withCertificate: (text) => ({
      token: text,
      method: 'GET',
      url: URL_CALLED,
      certificateThumbprint: CERTIFICATE,
    }),
    statusList: (uri) => {
      const lst = deflateSync(new Uint8Array(LIST_BYTES)).toString('base64url')
      const claims = { iss: ISSUER, sub: uri, iat: NOW, exp: NOW + 60, gen: 'a1', seq: 1 }
      const list = { ...claims, status_list: { bits: 2, lst } }
      return signToken(issuerKey, list, { typ: 'statuslist+jwt' })
    },
    withProofs: async (depth, count) => {
      const text = await token(depth, { jkt: agentKey.thumbprint })
      const proofs = Array.from({ length: count }, () => aProof(agentKey, { token: text }))
      const shown = { token: text, method: 'GET', url: URL_CALLED, scheme: 'DPoP' } as const
      return (await Promise.all(proofs)).map((proof) => ({ ...shown, proof }))
    },
  }
}
