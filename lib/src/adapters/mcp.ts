/**
 * The MCP TypeScript SDK: what its bearer middleware asks tokens of, a middleware that sees proofs too, and the report in a
 * tool's hands. The SDK is not imported: its shapes are written down here, and its errors are handed in.
 */
import { answerFor } from '../challenge.ts'
import { VERIFICATION_REASONS, VerificationError } from '../errors.ts'
import { resourceMetadataUrl } from '../metadata.ts'
import { headerValues } from '../raw-headers.ts'
import type { VerificationReport } from '../report.ts'
import { readScope } from '../scope.ts'
import type { RouteNeed, Verifier } from '../verifier.ts'
import { type ExpressAnswer, type ExpressRequest, guard } from './guard.ts'

/** The SDK's AuthInfo, member for member: tool handlers find it as `extra.authInfo`. */
export interface AuthInfo {
  token: string
  /** The actor's. */
  clientId: string
  scopes: string[]
  /** Seconds since the epoch. */
  expiresAt?: number
  /** The audience. */
  resource?: URL
  /** Subject, actor, chain and task. */
  extra?: Record<string, unknown>
}

/** The SDK's error classes: its middleware knows refusals by them alone, and each copy of the SDK has its own. */
export interface BearerErrors {
  readonly InvalidTokenError: new (message: string) => Error
  readonly InsufficientScopeError: new (message: string) => Error
}

/** The options of the SDK's `requireBearerAuth`. */
export interface BearerAuth {
  readonly verifier: { verifyAccessToken(token: string): Promise<AuthInfo> }
  readonly requiredScopes: string[]
  readonly resourceMetadataUrl: string
}

/**
 * What to hand to the SDK's `requireBearerAuth`. That sees no proof of possession, so it is for bearer tokens: throws
 * TypeError for a verifier that was not given `bearer: 'allowed'`.
 */
export function bearerAuth(
  verifier: Verifier,
  need: RouteNeed,
  { InvalidTokenError, InsufficientScopeError }: BearerErrors,
): BearerAuth {
  if (verifier.facts.bearer !== 'allowed')
    throw new TypeError("requireBearerAuth sees no proofs: use protect, or bearer: 'allowed'")
  const verifyAccessToken = async (token: string): Promise<AuthInfo> => {
    try {
      // A token that is bound to a key is of another scheme, so method and URL are never compared.
      const presented = { token, scheme: 'Bearer', method: 'POST', url: '/' } as const
      return authInfoOf(verifier, token, await verifier.verify(presented, need))
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error
      const { error: code, text } = VERIFICATION_REASONS[error.reason]
      if (code === 'insufficient_scope') throw new InsufficientScopeError(text)
      if (code === 'invalid_token') throw new InvalidTokenError(text)
      // An outage is no refusal: the SDK answers 500.
      throw error
    }
  }
  return {
    verifier: { verifyAccessToken },
    requiredScopes: scopesOf(need),
    resourceMetadataUrl: metadataUrlOf(verifier),
  }
}

export interface McpRequest extends ExpressRequest {
  /** The SDK's transports hand it to tools. */
  auth?: AuthInfo
}

export type McpMiddleware = (
  request: McpRequest,
  response: ExpressAnswer,
  next: (error?: unknown) => void,
) => Promise<void>

/**
 * Express middleware in the place of `requireBearerAuth`, for tokens that are bound to keys too: the sender's proof is
 * checked, and refusals are challenges that lead to the metadata of the resource (RFC 9728 §5.1).
 */
export function protect(verifier: Verifier, need: RouteNeed): McpMiddleware {
  const resourceMetadata = metadataUrlOf(verifier)
  const challenge: Verifier['challenge'] = (error, facts = {}) =>
    answerFor(error, {
      ...verifier.facts,
      resourceMetadata,
      scope: facts.need?.scope,
      presented: facts.presented,
    })
  return guard({ ...verifier, challenge }, need, (report, request: McpRequest) => {
    request.auth = authInfoOf(verifier, tokenOf(request), report)
  })
}

/**
 * What was verified of a tool's caller; with `scope`, of one that has all of these scopes. Throws Error, which the SDK makes
 * the tool's answer, and TypeError for a caller that came past the middleware.
 */
export function callerOf(
  authInfo: Pick<AuthInfo, 'extra'> | undefined,
  scope?: string,
): VerificationReport {
  const report = reports.get(authInfo?.extra ?? {})
  if (report === undefined) throw new TypeError('the caller was not verified')
  if (!scopesOf({ scope }).every((name) => report.scope.includes(name)))
    throw new Error(`the token lacks the scope this tool needs: ${scope}`)
  return report
}

/** By what was handed on as `extra`: nothing that only looks like it has a report. */
const reports = new WeakMap<object, VerificationReport>()

function authInfoOf({ facts }: Verifier, token: string, report: VerificationReport): AuthInfo {
  const { subject, actor, chain, txn, scope, expiresAt } = report
  const extra = { subject, actor, chain, txn }
  reports.set(extra, report)
  const resource = new URL(facts.audience)
  return { token, clientId: actor.sub, scopes: [...scope], expiresAt, resource, extra }
}

function scopesOf({ scope }: { readonly scope?: string | undefined }): string[] {
  const names = scope === undefined ? [] : readScope(scope)
  if (names === undefined) throw new TypeError('bad scope')
  return [...names]
}

/** Throws TypeError when the audience is no URL a resource may be named by. */
function metadataUrlOf({ facts }: Verifier): string {
  const known = resourceMetadataUrl(facts.audience)
  return facts.resourceMetadata ?? known
}

/** Of a request that was let through. */
function tokenOf({ rawHeaders }: McpRequest): string {
  const [header = ''] = headerValues(rawHeaders, 'authorization')
  return header.slice(header.lastIndexOf(' ') + 1)
}
