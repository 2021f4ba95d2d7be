/**
 * What oidc-provider's private_key_jwt leaves open (RFC 7523 with the audience rule of draft-ietf-oauth-rfc7523bis):
 * one canonical form, one audience, short times, and single use as one atomic claim.
 */
import { generateKeyPairSync, sign } from 'node:crypto'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { InvalidClientAuth } from 'oidc-provider/lib/helpers/errors.js'
import { Provider } from 'oidc-provider/lib/provider.js'
import { readVerificationKey, verifySignature } from '../../keys/verification-key.ts'
import { readCompactJws } from '../../lib/src/compact-jws.ts'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import { isActive } from '../core/decide.ts'
import type { Tenant } from '../core/tenant.ts'
import type { Clock, ReplayGuard } from '../use-cases/ports.ts'
import { requestState } from './request-state.ts'
import { readNumericDate } from './verified-jwt.ts'

/** Seconds; also oidc-provider's clockTolerance. */
export const CLOCK_SKEW = 5
const MAX_LIFETIME = 300
const MAX_ASSERTION_LENGTH = 8192
/** RFC 7523bis §3.2: typed so, or, from older clients, not at all. */
const TYPES: ReadonlySet<string | undefined> = new Set([
  undefined,
  'jwt',
  'client-authentication+jwt',
  'application/client-authentication+jwt',
])

export interface AuthenticationDeps {
  readonly clock: Clock
  readonly replay: ReplayGuard
}

/** Called by oidc-provider after the assertion's signature verified, before its single use is claimed. */
export function assertionCheck(tenant: Tenant, deps: AuthenticationDeps) {
  return (ctx: KoaContextWithOIDC): void => {
    const client = ctx.oidc.client?.clientId ?? ''
    // RFC 7523 §3.1: credentials that were sent are never ignored; the library does not see a secret in the body.
    const hasSecret = ctx.oidc.body?.['client_secret'] !== undefined
    const assertion = ctx.oidc.params?.['client_assertion']
    const guard = hasSecret
      ? 'two_methods'
      : checkAssertion(tenant, client, assertion, deps.clock.now())
    if (guard === undefined) return
    requestState(ctx).authenticationGuard = guard
    throw new InvalidClientAuth(guard)
  }
}

function checkAssertion(
  tenant: Tenant,
  client: string,
  assertion: unknown,
  now: number,
): string | undefined {
  if (typeof assertion !== 'string' || assertion.length > MAX_ASSERTION_LENGTH) {
    return 'assertion_malformed'
  }
  const jws = readCompactJws(assertion)
  if (jws === undefined) return 'assertion_malformed'
  if (!TYPES.has(jws.header.typ?.toLowerCase())) return 'assertion_type'
  const { sub, aud, jti } = jws.payload
  if (sub !== client) return 'assertion_subject'
  // RFC 7523bis §3: our issuer identifier is the only audience, as a string or as an array of that one.
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (audiences.length !== 1 || audiences[0] !== tenant.issuer) return 'assertion_audience'
  if (typeof jti !== 'string' || jti.length > 256) return 'assertion_jti'
  const agent = tenant.agents.get(client)
  const isResourceServer = agent === undefined && tenant.resources.has(client)
  if (!isResourceServer && !isActive(agent, now)) return 'agent_inactive'
  return checkTimes(jws.payload, now)
}

function checkTimes(payload: JsonObject, now: number): string | undefined {
  const { iat, nbf } = payload
  const exp = readNumericDate(payload['exp'])
  if (exp === undefined || exp > now + MAX_LIFETIME + CLOCK_SKEW) return 'assertion_expiry'
  if (exp <= now - CLOCK_SKEW) return 'assertion_expired'
  for (const time of [iat, nbf]) {
    if (time === undefined) continue
    const seconds = readNumericDate(time)
    if (seconds === undefined || seconds > now + CLOCK_SKEW) return 'assertion_not_yet_valid'
  }
  const issuedAt = readNumericDate(iat)
  if (issuedAt !== undefined && issuedAt < now - MAX_LIFETIME - CLOCK_SKEW) return 'assertion_old'
  return undefined
}

/**
 * Replaces the library's find-then-save by one atomic claim. Last step of client authentication: after it the client
 * is who it says.
 */
export function claimAssertionsAtomically(
  provider: Provider,
  tenant: Tenant,
  deps: AuthenticationDeps,
): void {
  const detection = provider.ReplayDetection as unknown as {
    unique: (iss: string, jti: string, exp: number) => Promise<boolean>
  }
  detection.unique = async (iss, jti, exp) => {
    // The library keeps the request under way in asynchronous local storage.
    const ctx = Provider.ctx
    if (ctx === undefined) throw new TypeError('no request is under way')
    const state = requestState(ctx)
    const isFirst = await deps.replay.claimReplay({
      tenant: tenant.id,
      kind: 'client_assertion',
      id: [iss, jti],
      expiresAt: Math.ceil(exp),
    })
    if (isFirst) state.isAuthenticated = true
    else state.authenticationGuard = 'assertion_replayed'
    return isFirst
  }
}

/**
 * An unknown client costs what a known one with a bad signature costs: one signature check against a key of our own.
 * The answer is the same, so neither bytes nor work tell the two apart (threats E11).
 */
export function createDecoy(): () => void {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const text = 'decoy'
  const signature = sign('sha256', Buffer.from(text), {
    key: pair.privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  const jwk = pair.publicKey.export({ format: 'jwk' }) as Record<string, unknown>
  const key = readVerificationKey(jwk, ['ES256'])
  return () => {
    if (key !== undefined) verifySignature(key, text, signature)
  }
}
