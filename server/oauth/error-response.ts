/**
 * The one door from refusals and faults to answers of the OAuth endpoints. Texts are literals of one table; nothing of a
 * request, a token or a fault is ever in a body (RFC 6749 §5.2, RFC 8693 §2.2.2).
 */
import type { KoaContextWithOIDC } from 'oidc-provider'
import { REASONS, type Reason, type Refusal, refuse } from '../core/refusal.ts'
import type { RequestState } from './request-state.ts'

/** Octets; oidc-provider stops reading there. */
export const MAX_BODY = 56 * 1024
const RETRY_AFTER_SECONDS = '1'
const CLIENT_PARAMETERS = [
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
] as const

/** Writes the refusal as the OAuth error its reason stands for. */
export function answerRefusal(
  ctx: KoaContextWithOIDC,
  issuer: string,
  ref: string,
  refusal: Refusal,
): void {
  const { error, status, text } = REASONS[refusal.reason]
  ctx.status = status
  ctx.body = { error, error_description: text, reason: refusal.reason, error_ref: ref }
  ctx.remove('www-authenticate')
  // RFC 6749 §5.2: a client that tried by header is told the scheme it used.
  if (status === 401 && ctx.get('authorization') !== '') {
    ctx.set('www-authenticate', `Basic realm="${issuer}"`)
  }
  if (status === 503) ctx.set('retry-after', RETRY_AFTER_SECONDS)
  if (refusal.limit !== undefined) ctx.set('retry-after', String(refusal.limit.retryAfter))
}

/** What the library refused by itself, in our closed list. Told by state, never by its texts. */
export function readProviderError(ctx: KoaContextWithOIDC, state: RequestState): Refusal {
  switch (errorCode(state.providerError)) {
    case 'invalid_client':
      return refuse(...readUnauthenticated(ctx, state))
    case 'unsupported_grant_type':
      return refuse('grant_unsupported')
    case 'invalid_scope':
      return refuse('scope_malformed')
    case 'invalid_request':
      return refuse(...readInvalidRequest(ctx, state))
    case undefined:
    default:
      // The library's server_error, or one we do not know: a fault, not the caller's doing.
      return refuse('unavailable', 'fault')
  }
}

function readInvalidRequest(ctx: KoaContextWithOIDC, state: RequestState): [Reason, string] {
  const { body, params, client } = ctx.oidc
  if (params === undefined || body === undefined) {
    const isLarge = (ctx.request.length ?? 0) > MAX_BODY
    return isLarge ? ['request_too_large', 'body_size'] : ['request_malformed', 'body']
  }
  if (state.client === undefined) return readUnauthenticated(ctx, state)
  const grant = params['grant_type']
  const isClosed = typeof grant === 'string' && client?.grantTypeAllowed(grant) === false
  // RFC 6749 §5.2; the library says invalid_request here.
  return isClosed ? ['grant_not_permitted', 'grant'] : ['request_malformed', 'parameters']
}

function readUnauthenticated(ctx: KoaContextWithOIDC, state: RequestState): [Reason, string] {
  const { body } = ctx.oidc
  if (CLIENT_PARAMETERS.some((name) => Array.isArray(body?.[name]))) {
    return ['request_malformed', 'client_parameters_repeated']
  }
  if (hasTwoSecrets(ctx)) return ['request_malformed', 'two_methods']
  return ['client_authentication_failed', state.authenticationGuard ?? 'client_credentials']
}

/** RFC 6749 §2.3: two mechanisms at once. With an assertion RFC 7521 §4.2.1 makes it invalid_client. */
function hasTwoSecrets(ctx: KoaContextWithOIDC): boolean {
  const { body } = ctx.oidc
  if (ctx.get('authorization') === '' || body === undefined) return false
  return body['client_secret'] !== undefined && body['client_assertion'] === undefined
}

export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('error' in error)) return undefined
  return typeof error.error === 'string' ? error.error : undefined
}
