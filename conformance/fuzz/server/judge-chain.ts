/**
 * Whether a server may have issued a token: both readers accept it, saying the same, it is no more than the one it was made from, and
 * the status list says of it what was done to it.
 */
import { isDeepStrictEqual } from 'node:util'
import { createVerifier, VerificationError } from '@actchain/verifier'
import { readCase } from '../../reader/reader.ts'
import { epoch } from '../../suite/jwt.ts'
import type { Case, PublishedList } from '../../vectors/vector.ts'
import { narrowingFault } from './narrowing.ts'
import type { FuzzClient } from './party.ts'

export interface Held {
  readonly token: string
  readonly claims: Readonly<Record<string, unknown>>
  readonly parent: Held | undefined
  readonly holder: FuzzClient
  isRevoked: boolean
}

/** Takes what is wrong, by its kind and in words. */
export type Report = (kind: string, detail: string) => void

export class ChainJudge {
  readonly #issuer: string
  readonly #jwks: Case['jwks']

  constructor(issuer: string, jwks: Case['jwks']) {
    this.#issuer = issuer
    this.#jwks = jwks
  }

  /** Accepted by both readers, saying the same, and within its parent. */
  async checkToken(made: Held, report: Report): Promise<void> {
    const widened = narrowingFault(made.claims, made.parent?.claims)
    if (widened !== undefined) report('widened', widened)
    const given = this.#caseOf(made)
    const verdict = readCase(given)
    if (verdict.verdict === 'reject') return report('reader_refuses', verdict.reason)
    const verifier = createVerifier({
      issuer: this.#issuer,
      audience: String(made.claims['aud']),
      revocation: 'off',
      jwks: this.#jwks,
    })
    const { scope } = verdict.report
    try {
      const told = await verifier.verify(
        { token: made.token, ...given.request },
        { scope: scope.join(' ') },
      )
      const same = isDeepStrictEqual(
        [told.subject, told.chain.map(({ sub }) => sub), told.scope, told.txn, told.expiresAt],
        [
          verdict.report.subject,
          verdict.report.chain,
          scope,
          verdict.report.txn,
          verdict.report.expires_at,
        ],
      )
      if (!same) report('report_differs', '')
    } catch (error) {
      report(
        error instanceof VerificationError ? 'verifier_refuses' : 'crash',
        error instanceof VerificationError ? error.reason : String(error),
      )
    }
  }

  #caseOf({ token, claims, holder }: Held, lists?: readonly PublishedList[]): Case {
    const url = String(claims['aud'])
    return {
      now: epoch(),
      jwks: this.#jwks,
      status_lists: lists ?? [],
      token,
      request: { method: 'GET', url, scheme: 'DPoP', proof: holder.proof('GET', url, token) },
      configuration: {
        issuer: this.#issuer,
        audience: url,
        handover: true,
        ...(lists === undefined ? {} : { revocation: 'required' }),
      },
    }
  }

  /** The list that is served now says which tokens are over: those that were revoked, and all that were made from them. */
  async checkRevoked(
    held: readonly Held[],
    get: (uri: string) => Promise<string>,
    report: Report,
  ): Promise<void> {
    for (const one of held) {
      const { uri } = (one.claims['status'] as { readonly status_list: { readonly uri: string } })
        .status_list
      const verdict = readCase(this.#caseOf(one, [{ uri, token: await get(uri) }]))
      const isOver = verdict.verdict === 'reject' && verdict.reason === 'token_revoked'
      const isFine = verdict.verdict === 'accept'
      const isMeant = isRevokedWith(one)
      if (isMeant ? !isOver : !isFine)
        report(
          isMeant ? 'revoked_and_valid' : 'valid_and_revoked',
          JSON.stringify(verdict).slice(0, 80),
        )
    }
  }
}

/** Revoked itself, or made from one that is. */
function isRevokedWith({ isRevoked, parent }: Held): boolean {
  return isRevoked || (parent !== undefined && isRevokedWith(parent))
}
