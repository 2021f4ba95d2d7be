/**
 * Runs the verifier's vectors in whatever runtime this is: no node: import, nothing but the verifier and the files.
 */
import {
  type Case,
  caseOf,
  type Expected,
  type Report,
  type VectorFile,
} from '../conformance/vectors/vector.ts'
import { VerificationError } from '../lib/src/errors.ts'
import type { Nonces } from '../lib/src/nonces.ts'
import type { SignatureAlgorithm } from '../lib/src/public-key.ts'
import type { VerificationReport } from '../lib/src/report.ts'
import { statusLists } from '../lib/src/status/status-lists.ts'
import { createVerifier, type RouteNeed, type Verifier } from '../lib/src/verifier.ts'

export interface VectorResults {
  readonly passed: number
  /** One line for each vector that came out otherwise. */
  readonly failed: readonly string[]
}

/**
 * `exact`: the reason that the order of checks gives. `any`: one of those that the vector has; some runtimes look at a key only
 * when a signature is held against it.
 */
export type Reasons = 'exact' | 'any'

/** Runs every vector of these files. */
export async function runVectors(
  reasons: Reasons,
  ...files: readonly VectorFile[]
): Promise<VectorResults> {
  const outcomes = await Promise.all(
    files.flatMap((file) =>
      file.vectors.map(async (vector) => {
        const got = await verifyCase(caseOf(file, vector))
        const wanted = vector.expected
        return isAsExpected(got, wanted, reasons)
          ? undefined
          : `${vector.id} (${vector.title}): ${spoken(got)} instead of ${spoken(wanted)}`
      }),
    ),
  )
  const failed = outcomes.filter((failure) => failure !== undefined)
  return { passed: outcomes.length - failed.length, failed }
}

/** What the verifier answers, in the words of a vector. */
export async function verifyCase(
  given: Case,
): Promise<Pick<Expected, 'verdict' | 'reason' | 'report'>> {
  const { token, request, configuration } = given
  const { certificate_thumbprint: certificateThumbprint, ...rest } = request
  const { required_scope = '', handover, delegated } = configuration
  const what = handover === true ? { handover } : { scope: required_scope }
  const need: RouteNeed = delegated === true ? { ...what, delegated } : what
  const verifier = aVerifier(given)
  try {
    const report = await verifier.verify({ token, certificateThumbprint, ...rest }, need)
    return { verdict: 'accept', report: wordsOf(report) }
  } catch (error) {
    const reason = error instanceof VerificationError ? error.reason : `fault: ${String(error)}`
    return { verdict: 'reject', reason }
  } finally {
    verifier.close()
  }
}

/** A fresh one for each vector: they stand alone. */
function aVerifier({ configuration, now, jwks, status_lists }: Case): Verifier {
  const { issuer, audience, max_hops, bearer, clock_tolerance, algorithms, nonces } = configuration
  const { revocation, freshness, execute_scopes } = configuration
  const given = {
    maxHops: max_hops,
    bearer,
    clockTolerance: clock_tolerance,
    algorithms: algorithms as readonly SignatureAlgorithm[] | undefined,
    nonces: nonces && holding(nonces),
  }
  const lists = { freshness, executeScopes: execute_scopes, feed: 'off' as const }
  return createVerifier({
    issuer,
    audience,
    jwks,
    now: () => now,
    revocation: revocation === 'required' ? statusLists(withoutAbsent(lists)) : 'off',
    fetch: async (url) => {
      const published = status_lists.find(({ uri }) => uri === url)
      return new Response(published?.token ?? null, { status: published === undefined ? 404 : 200 })
    },
    ...withoutAbsent(given),
  })
}

/** The verifier refuses options that are there and undefined. */
function withoutAbsent<Options extends object>(
  options: Options,
): { [Name in keyof Options]: Exclude<Options[Name], undefined> } {
  const there = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(there) as { [Name in keyof Options]: Exclude<Options[Name], undefined> }
}

function holding(nonces: readonly unknown[]): Nonces {
  return () => ({ check: async (nonce) => ({ holds: nonces.includes(nonce) }) })
}

function wordsOf(report: VerificationReport): Report {
  const { subject, actor, chain, scope, ceilings, basis, txn, jti, expiresAt, revocation } = report
  return {
    subject,
    actor: actor.sub,
    chain: chain.map(({ sub }) => sub),
    scope,
    ceilings: ceilings.map(({ expiresAt: expires_at, scope: names, reach, audience }) => ({
      scope: names,
      reach,
      audience,
      expires_at,
    })),
    basis,
    txn,
    jti,
    expires_at: expiresAt,
    revocation,
  }
}

function isAsExpected(
  got: Pick<Expected, 'verdict' | 'reason' | 'report'>,
  wanted: Expected,
  reasons: Reasons,
): boolean {
  if (got.verdict === 'reject' || wanted.verdict === 'reject') {
    const others = reasons === 'any' ? (wanted.or ?? []) : []
    return [wanted.reason, ...others].includes(got.reason)
  }
  return JSON.stringify(got.report) === JSON.stringify(wanted.report)
}

function spoken({
  verdict,
  reason,
  report,
}: Pick<Expected, 'verdict' | 'reason' | 'report'>): string {
  return reason ?? `${verdict} ${JSON.stringify(report)}`
}
