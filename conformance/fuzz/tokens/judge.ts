/**
 * Whether the verifier was right about an input. Three judges, none of which shares code with it: who signed what, which the oracle
 * knows; the independent reader; and sets of names, for whether the hops of an accepted token narrow.
 */
import { isDeepStrictEqual } from 'node:util'
import { VerificationError, type VerificationReport, type Verifier } from '@actchain/verifier'
import { readCase, type Verdict } from '../../reader/reader.ts'
import type { Report } from '../../vectors/vector.ts'
import { namesOf } from '../mask.ts'
import { type Claims, textOf } from './grammar.ts'
import { caseOfInput, type TokenInput } from './input.ts'
import { closeVerifiers, LISTS, newVerifiers, type Verifiers } from './verifiers.ts'

export type FaultKind =
  /** Accepted, though the issuer did not sign it, or its hops widen, or the reader refuses it. */
  | 'false_acceptance'
  /** Refused, though grammar made it or the reader accepts it. */
  | 'false_refusal'
  /** Both accept, and say different things of it. */
  | 'report_differs'
  /** Something else than a VerificationError was thrown. */
  | 'crash'

export interface Fault {
  readonly kind: FaultKind
  /** Never the token. */
  readonly detail: string
}

export interface Judgement {
  /** The verifier's reason, or `accepted`. */
  readonly outcome: string
  /** The reader's, where it read. */
  readonly reading: string | undefined
  readonly fault?: Fault
  /** Of the verifier alone. */
  readonly milliseconds: number
}

type Answer =
  | { readonly kind: 'accepted'; readonly report: VerificationReport }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'crashed'; readonly detail: string }

export interface Judging {
  /** What the verifier accepts is always read again; what it refuses, only here: reading costs what verifying does. */
  readonly refused: 'read' | 'unread'
}

/** Judges one input. Never rejects. */
export async function judge(
  verifiers: Verifiers,
  input: TokenInput,
  { refused }: Judging = { refused: 'read' },
): Promise<Judgement> {
  const verifier = verifiers[input.setting]
  const begun = performance.now()
  let answer = await answerOf(verifier, input)
  const milliseconds = performance.now() - begun
  // The verifier's own clock runs: a process that waited for a core has lists that grew old.
  if (answer.kind === 'refused' && answer.reason === 'revocation_unknown') {
    const fresh = newVerifiers()
    answer = await answerOf(fresh[input.setting], input)
    closeVerifiers(fresh)
  }
  if (answer.kind === 'refused' && refused === 'unread') {
    const fault = input.good === true ? refusalFault(answer.reason) : undefined
    return { outcome: answer.reason, reading: undefined, milliseconds, ...(fault && { fault }) }
  }
  const verdict = readCase(caseOfInput(input, LISTS))
  const fault = faultOf(input, answer, verdict)
  return {
    outcome:
      answer.kind === 'accepted' ? 'accepted' : answer.kind === 'refused' ? answer.reason : 'crash',
    reading: verdict.verdict === 'accept' ? 'accepted' : verdict.reason,
    ...(fault === undefined ? {} : { fault }),
    milliseconds,
  }
}

async function answerOf(verifier: Verifier, input: TokenInput): Promise<Answer> {
  const { token, need, request } = input
  const { method, url, scheme, proof, certificate_thumbprint } = request
  const { required_scope: scope, delegated } = need
  const wanted = delegated === true ? { delegated } : {}
  try {
    const report = await verifier.verify(
      { token, method, url, scheme, proof, certificateThumbprint: certificate_thumbprint },
      scope === undefined ? { handover: true, ...wanted } : { scope, ...wanted },
    )
    return { kind: 'accepted', report }
  } catch (error) {
    if (error instanceof VerificationError) return { kind: 'refused', reason: error.reason }
    const stack = error instanceof Error ? error.stack : undefined
    return { kind: 'crashed', detail: stack ?? String(error) }
  }
}

function faultOf(input: TokenInput, answer: Answer, verdict: Verdict): Fault | undefined {
  if (answer.kind === 'crashed') return { kind: 'crash', detail: answer.detail }
  if (answer.kind === 'refused') {
    // That a proof was used before is not for one case alone to show.
    const isWrong = verdict.verdict === 'accept' && answer.reason !== 'proof_replayed'
    return isWrong || input.good === true ? refusalFault(answer.reason) : undefined
  }
  if (!input.signed) return { kind: 'false_acceptance', detail: 'the issuer did not sign it' }
  const widened = wideningOf(input.token)
  if (widened !== undefined) return { kind: 'false_acceptance', detail: widened }
  if (verdict.verdict === 'reject')
    return { kind: 'false_acceptance', detail: `the reader says ${verdict.reason}` }
  const told = reportOf(answer.report)
  // As texts first: comparing objects costs as much as a signature.
  if (JSON.stringify(told) === JSON.stringify(verdict.report)) return undefined
  if (isDeepStrictEqual(told, verdict.report)) return undefined
  const members = Object.keys(told) as (keyof Report)[]
  const differing = members.filter((name) => !isDeepStrictEqual(told[name], verdict.report[name]))
  return { kind: 'report_differs', detail: differing.join(', ') }
}

function refusalFault(reason: string): Fault {
  return { kind: 'false_refusal', detail: `it is good, the verifier says ${reason}` }
}

function reportOf(report: VerificationReport): Report {
  const { subject, actor, chain, scope, ceilings, basis, txn, jti, expiresAt, revocation } = report
  return {
    subject,
    actor: actor.sub,
    chain: chain.map(({ sub }) => sub),
    scope,
    ceilings: ceilings.map((ceiling) => ({
      scope: ceiling.scope,
      reach: ceiling.reach,
      audience: ceiling.audience,
      expires_at: ceiling.expiresAt,
    })),
    basis,
    txn,
    jti,
    expires_at: expiresAt,
    revocation,
  }
}

/** Where a hop of an accepted token may do more than the one before it: by names and times, without a bit operation. */
function wideningOf(token: string): string | undefined {
  const claims = JSON.parse(
    Buffer.from(token.split('.')[1] ?? '', 'base64url').toString(),
  ) as Claims
  const { root, hops } = claims['act_bounds'] as unknown as {
    readonly root: Readonly<Record<string, unknown>>
    readonly hops: readonly Readonly<Record<string, unknown>>[]
  }
  const lists = { scope: root['scope'] as string[], reach: root['reach'] as string[] }
  let names = { scope: new Set(lists.scope), reach: new Set(lists.reach) }
  let end = Number(root['exp'])
  for (const hop of hops.toReversed()) {
    const mine = {
      scope: new Set(namesOf(lists.scope, hop['scope'])),
      reach: new Set(namesOf(lists.reach, hop['reach'])),
    }
    if (!isWithin(mine.scope, names.scope)) return 'a hop has a scope that its parent has not'
    if (!isWithin(mine.reach, names.reach)) return 'a hop reaches what its parent does not'
    if (Number(root['iat']) + Number(hop['exp']) > end) return 'a hop outlives its parent'
    end = Number(root['iat']) + Number(hop['exp'])
    names = mine
  }
  const granted = textOf(claims['scope']).split(' ')
  if (!isWithin(granted, names.scope)) return 'the token has a scope that no hop gave'
  if (!names.reach.has(textOf(claims['aud']))) return 'the token is for a place it may not reach'
  return Number(claims['exp']) > end ? 'the token outlives its hop' : undefined
}

function isWithin(names: Iterable<string>, all: ReadonlySet<string>): boolean {
  return [...names].every((name) => all.has(name))
}
