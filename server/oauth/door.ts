/**
 * The one door of the OAuth endpoints: what was decided, refused or broke becomes an answer here and nowhere else, and a refusal its
 * audit entry before it.
 */
import type { KoaContextWithOIDC } from 'oidc-provider'
import { keyProofOf, type ProvenKey } from '../core/input-token.ts'
import { isRefusal, type Refusal } from '../core/refusal.ts'
import type { Tenant } from '../core/tenant.ts'
import type { Granted } from '../use-cases/issue-hop.ts'
import type { SignedIn } from '../use-cases/management-access.ts'
import { nonceCheck } from './dpop-nonces.ts'
import { answerRefusal, errorCode, readProviderError } from './error-response.ts'
import { ACCESS_TOKEN_TYPE } from './exchange-parameters.ts'
import type { ProviderDeps } from './provider.ts'
import type { RequestState } from './request-state.ts'
import { answerIntrospection, answerRevocation } from './structured-token.ts'

export type Endpoint = 'token' | 'introspection' | 'revocation'

export interface Answering {
  readonly tenant: Tenant
  readonly deps: ProviderDeps
  readonly state: RequestState
  readonly endpoint: Endpoint
}

export async function answer(ctx: KoaContextWithOIDC, answering: Answering): Promise<void> {
  const { tenant, deps, state, endpoint } = answering
  const { providerError, record } = state
  const outcome = (await state.admission?.settled()) ?? state.outcome
  if (outcome !== undefined && !isRefusal(outcome)) {
    ctx.status = 200
    ctx.body = tokenResponse(outcome)
    return
  }
  // The library refuses JWTs at these two endpoints; to us they are tokens like any other.
  const isPassed =
    providerError === undefined || errorCode(providerError) === 'unsupported_token_type'
  if (outcome === undefined && state.admission !== undefined && isPassed) {
    const key = await proveBeside(ctx, answering)
    if (!isRefusal(key)) record.note({ bound_by: keyProofOf(key) })
    const stopped = isRefusal(key) ? key : await state.admission.admit(key)
    if (stopped !== undefined) return refuseWith(ctx, answering, stopped)
    if (endpoint === 'introspection') return answerIntrospection(ctx, tenant, deps)
    if (endpoint === 'revocation') return answerRevocation(ctx, tenant, { ...deps, record })
  }
  if (providerError instanceof Error && errorCode(providerError) === undefined) throw providerError
  return refuseWith(ctx, answering, outcome ?? readProviderError(ctx, state))
}

/**
 * Where a credential is good for one key, that key: of a proof for this endpoint, else of the certificate. RFC 9449 asks for no proof
 * here, so without either the credential is good once.
 */
async function proveBeside(
  ctx: KoaContextWithOIDC,
  { tenant, deps, state }: Answering,
): Promise<ProvenKey | Refusal> {
  if (state.admission?.takesKey !== true) return undefined
  const stranger = await state.admission.authenticated
  if (stranger !== undefined) return stranger
  const { certificate } = state
  const proof = ctx.get('dpop')
  if (proof === '') return certificate && { 'x5t#S256': certificate.thumbprint }
  const now = deps.clock.now()
  return deps.proofs.check({
    tenant: tenant.id,
    proof,
    method: 'POST',
    url: `${tenant.issuer}${ctx.path}`,
    // RFC 9449 §11.3: who was given a nonce once needs it wherever a proof of his is taken.
    takesNonce: nonceCheck(tenant, deps.nonces, state, now),
    now,
  })
}

async function refuseWith(
  ctx: KoaContextWithOIDC,
  { tenant, deps, state }: Answering,
  found: Refusal,
): Promise<void> {
  const { record, admission } = state
  const refusal = (await admission?.countRefused()) ?? found
  state.refusal = refusal
  if (refusal.limit?.entry !== 'told') {
    await deps.audit.append(record.refused(deps.clock.now(), refusal))
  }
  if (refusal.limit?.entry === 'new') {
    const { client } = state
    deps.onLimit({
      tenant: tenant.id,
      ...(client === undefined ? {} : { client }),
      guard: refusal.guard,
    })
  }
  answerRefusal(ctx, tenant.issuer, record.ref, refusal)
}

/** A fault is told to operators, once, and to callers as 503. It is on record where the record can still be written. */
export async function answerFault(ctx: KoaContextWithOIDC, answering: Answering): Promise<void> {
  const { tenant, deps, state } = answering
  const { record, providerError } = state
  deps.onFault(providerError, record.ref, tenant.id)
  const refusal = { kind: 'refusal', reason: 'unavailable', guard: 'fault' } as const
  state.refusal = refusal
  if (!record.isAppended && !deps.audit.isFailing) {
    await deps.audit
      .append(record.refused(deps.clock.now(), refusal))
      .catch((fault: unknown) => deps.onFault(fault, record.ref, tenant.id))
  }
  answerRefusal(ctx, tenant.issuer, record.ref, refusal)
}

/** RFC 8693 §2.2.1; `cnf` tells which key the token is bound to. */
function tokenResponse(outcome: Granted | SignedIn): Readonly<Record<string, unknown>> {
  const { token, expiresIn } = outcome
  const { scope, cnf } = 'claims' in outcome ? outcome.claims : outcome
  return {
    access_token: token,
    issued_token_type: ACCESS_TOKEN_TYPE,
    // RFC 9449 §5; bound to a certificate alone it is a bearer token to the scheme (RFC 8705 §3).
    token_type: cnf?.jkt === undefined ? 'Bearer' : 'DPoP',
    expires_in: expiresIn,
    scope,
    ...(cnf === undefined ? {} : { cnf }),
  }
}

export function endpointOf(path: string): Endpoint {
  if (path === '/introspect') return 'introspection'
  return path === '/revoke' ? 'revocation' : 'token'
}
