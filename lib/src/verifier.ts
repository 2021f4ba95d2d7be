/**
 * The verifier: one issuer, one audience, checks in one order. Token first, then the sender's proof, then what the
 * route asks for (RFC 9068 §4, RFC 9449 §7, docs/chain-format.md §2).
 */
import { checkTimes, type VerifiedToken, verifyAccessToken } from './access-token.ts'
import { answerFor, type RefusalAnswer } from './challenge.ts'
import { confirmSender } from './confirmation.ts'
import { VerificationError } from './errors.ts'
import {
  factsOf,
  readOptions,
  type VerifierConfiguration,
  type VerifierFacts,
  type VerifierOptions,
} from './options.ts'
import { fieldsOf, type Presentation, readPresentation, type Scheme } from './presentation.ts'
import type { VerificationReport } from './report.ts'
import { readScope } from './scope.ts'
import { TextCache } from './text-cache.ts'

/**
 * What a route asks for. Every route names its scope, or says that it is an agent's own door, where being addressed is
 * what counts. `delegated`: not an agent on its own behalf.
 */
export type RouteNeed = (
  | { readonly scope: string; readonly handover?: never }
  | { readonly handover: true; readonly scope?: never }
) & { readonly delegated?: true }

export interface Verifier {
  readonly facts: VerifierFacts
  /** Resolves to the report; rejects with VerificationError, or with TypeError when misused. */
  verify(input: Request | Presentation, need: RouteNeed): Promise<VerificationReport>
  /** The answer to a refusal; `presented` is the scheme the request used, where known. */
  challenge(
    error: VerificationError,
    facts?: { readonly need?: RouteNeed; readonly presented?: Scheme | undefined },
  ): RefusalAnswer
  /** Ends what runs in the background, for a process that wants to end. Without it a stream of changes stays open. */
  close(): void
}

/** Throws TypeError when an option is missing, unknown or bad. */
export function createVerifier(options: VerifierOptions): Verifier {
  const configuration = readOptions(options)
  const facts = factsOf(configuration)
  const { revocation } = configuration
  const cache = new TextCache<VerifiedToken>(configuration.cacheSize)
  return Object.freeze({
    facts,
    verify: async (input: Request | Presentation, need: RouteNeed) => {
      const wanted = readNeed(need)
      const presented =
        'headers' in input ? readPresentation(fieldsOf(input, facts.certificateOf)) : input
      if (typeof presented.token !== 'string') throw new VerificationError('token_missing')
      const known = await verifyToken(configuration, cache, presented.token)
      // Of the token, so before the sender's proof. At hand as a rule, and then nothing is waited for.
      let status = revocation?.check(known.status, wanted.scope)
      if (typeof status === 'object') {
        status = await status
        // K04: what was fetched may have said that the key is no more.
        await verifyToken(configuration, cache, presented.token)
      }
      const nonce = await confirmSender(configuration, known.claims.cnf, presented)
      checkNeed(configuration, known, wanted)
      return Object.freeze({
        ...known.standing,
        revocation: revocation === undefined ? 'not_checked' : 'checked',
        nonce,
        ages: Object.freeze({ keys: configuration.keys.age(), status }),
      })
    },
    challenge: (error, { need, presented } = {}) =>
      answerFor(error, { ...facts, scope: need?.scope, presented }),
    close: () => revocation?.close(),
  } satisfies Verifier)
}

async function verifyToken(
  configuration: VerifierConfiguration,
  cache: TextCache<VerifiedToken>,
  token: string,
): Promise<VerifiedToken> {
  const known = cache.find(token)
  if (known !== undefined) {
    // The key has to be the one in use: a token outlives neither its key nor its own end.
    const key = await configuration.keys.find(known.kid, known.key.algorithm)
    if (key === known.key) {
      checkTimes(configuration, known.claims, configuration.now())
      return known
    }
    cache.forget(token)
  }
  const verified = await verifyAccessToken(configuration, configuration.keys, token)
  checkTimes(configuration, verified.claims, configuration.now())
  cache.keep(token, verified)
  return verified
}

interface Wanted {
  readonly scope: readonly string[]
  readonly delegated: boolean
}

/** A route that declares nothing is a mistake, not an open door. */
function readNeed(need: RouteNeed): Wanted {
  const { scope, handover, delegated } = need ?? {}
  const names = scope === undefined ? [] : typeof scope === 'string' ? readScope(scope) : undefined
  if (names === undefined || (scope === undefined) !== (handover === true))
    throw new TypeError('a route needs a scope, or handover')
  if (delegated !== undefined && delegated !== true) throw new TypeError('bad need: delegated')
  return { scope: names, delegated: delegated === true }
}

function checkNeed({ maxHops }: VerifierConfiguration, known: VerifiedToken, wanted: Wanted): void {
  const { ceilings, scope, actor, subject } = known.standing
  // Our own limit is no fault of the token: it comes where its other permissions do.
  if (ceilings.length > maxHops) throw new VerificationError('chain_too_long')
  if (wanted.delegated && actor.sub === subject) throw new VerificationError('delegation_required')
  if (!wanted.scope.every((name) => scope.includes(name)))
    throw new VerificationError('scope_insufficient')
}
