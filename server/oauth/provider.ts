/**
 * One oidc-provider instance for one version of one tenant. The library reads forms, routes grants and keeps the order of a
 * request; everything it would decide, verify, mint or print by itself is off or replaced.
 */
import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Adapter, Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { Provider } from 'oidc-provider/lib/provider.js'
import { generatePrivateJwk } from '../../keys/signer.ts'
import { attesterOf } from '../core/agent-auth.ts'
import type { PresentedCertificate } from '../core/presented-certificate.ts'
import { isRefusal, type Refusal } from '../core/refusal.ts'
import type { Tenant } from '../core/tenant.ts'
import { traceFacts } from '../core/trace-context.ts'
import { ensureRecordable } from '../use-cases/audit-log.ts'
import { DecisionRecord } from '../use-cases/decision-record.ts'
import type { ReplayGuard } from '../use-cases/ports.ts'
import { beginAdmission } from './admission.ts'
import type { PresentedCredentials } from './authentication/credentials.ts'
import type { TrustMaterial } from './authentication/trust-material.ts'
import { type ClientAuthenticator, createClientAuthenticator } from './client-authentication.ts'
import { clientKinds, findClient } from './clients.ts'
import { type Answering, answer, answerFault, endpointOf } from './door.ts'
import {
  COMMON_PARAMETERS,
  EXCHANGE_PARAMETERS,
  REPEATABLE_PARAMETERS,
  TOKEN_EXCHANGE,
} from './exchange-parameters.ts'
import { onForm, type ParsedForm } from './form-seam.ts'
import { clientCredentialsHandler, exchangeHandler, type GrantDeps } from './grants.ts'
import type { PeerLimits } from './peer-limits.ts'
import { beginRequest, type RequestState, requestState } from './request-state.ts'

export interface ProviderDeps extends GrantDeps {
  readonly replay: ReplayGuard
  readonly peers: PeerLimits
  readonly trust: TrustMaterial
  /** The certificate a request's client proved, here or at a listed proxy; a refusal where what the proxy says is none. */
  readonly certificateOf: (req: IncomingMessage) => PresentedCertificate | Refusal | undefined
  /** Told of the first request over a limit, once for each window. */
  readonly onLimit: (limit: {
    readonly tenant: string
    readonly client?: string
    readonly guard: string
  }) => void
  /** Logged once, at the door. */
  readonly onFault: (fault: unknown, ref: string, tenant: string) => void
}

export type RequestListener = (req: IncomingMessage, res: ServerResponse) => void

const EVENTS = ['grant.error', 'introspection.error', 'revocation.error', 'server_error'] as const
/** Of the key the library must have and never uses. */
const UNUSED_ALGORITHM = 'ES256'
/** Read by now. The library would judge them again, as credentials of the kind it knows the client by. */
const CREDENTIAL_HEADERS = [
  'authorization',
  'oauth-client-attestation',
  'oauth-client-attestation-pop',
] as const
const GRANTS = [TOKEN_EXCHANGE, 'client_credentials'] as const

/** Answers POST `/token`, `/introspect` and `/revoke` of the tenant; the caller has cut the path to that. */
export function createOAuthListener(tenant: Tenant, deps: ProviderDeps): RequestListener {
  const provider = new Provider(tenant.issuer, configurationOf(deps))
  provider.registerGrantType(
    TOKEN_EXCHANGE,
    exchangeHandler(tenant, deps),
    [...EXCHANGE_PARAMETERS],
    [...REPEATABLE_PARAMETERS],
  )
  provider.registerGrantType(
    'client_credentials',
    clientCredentialsHandler(tenant, deps),
    [...COMMON_PARAMETERS],
    [...REPEATABLE_PARAMETERS],
  )
  const authenticator = createClientAuthenticator(tenant, deps.trust)
  onForm(provider, (ctx, form) => {
    const client = authenticate(ctx, form, authenticator, { tenant, deps })
    const kind = client === undefined ? undefined : findClient(tenant, client)?.kind
    if (kind !== undefined) {
      form['client_id'] = kind
      for (const header of CREDENTIAL_HEADERS) delete ctx.req.headers[header]
    }
    // A repeated one stays: the library refuses it as what it is.
    else if (!Array.isArray(form['client_id'])) delete form['client_id']
  })
  const events: EventEmitter = provider
  for (const event of EVENTS) {
    events.on(event, (ctx: KoaContextWithOIDC, error: unknown) => {
      requestState(ctx).providerError = error
    })
  }
  provider.use((ctx, next) => {
    const endpoint = endpointOf(ctx.path)
    const traceparent = ctx.get('traceparent')
    return deps.telemetry.request({ endpoint, traceparent }, async () => {
      const ref = deps.randomId()
      const header = { ref, tenant: tenant.id, tenant_version: tenant.version }
      const record = new DecisionRecord({ ...header, event: endpoint })
      record.note(traceFacts(traceparent))
      const state = beginRequest(ctx, record)
      try {
        await next()
        await answer(ctx as unknown as KoaContextWithOIDC, { tenant, deps, state, endpoint })
      } catch (fault) {
        state.providerError = fault
        await answerFault(ctx as unknown as KoaContextWithOIDC, { tenant, deps, state, endpoint })
      }
      finishHeaders(ctx, state)
      return record.answered(ctx.status, state.refusal)
    })
  })
  const callback = provider.callback()
  // The library derives URLs from the Host header: it never sees the caller's.
  const { host } = new URL(tenant.issuer)
  return (req, res) => {
    req.headers.host = host
    // Nor an Origin: no page is a client here, and the library would echo it.
    delete req.headers.origin
    void callback(req, res)
  }
}

/** Those of every answer of these endpoints. */
function finishHeaders(ctx: Pick<KoaContextWithOIDC, 'set' | 'remove'>, state: RequestState): void {
  if (state.nextNonce !== undefined) ctx.set('dpop-nonce', state.nextNonce)
  // RFC 6749 §5.1: neither tokens nor errors are kept by a cache.
  ctx.set('cache-control', 'no-store')
  ctx.set('pragma', 'no-cache')
  // The library opens its endpoints to every page; an answer of ours is for the client that asked.
  ctx.remove('access-control-allow-origin')
  ctx.remove('access-control-expose-headers')
}

/** The client, or undefined: then the form keeps no client id, and the library knows no client, whatever was sent. */
function authenticate(
  ctx: KoaContextWithOIDC,
  form: ParsedForm,
  authenticator: ClientAuthenticator,
  { tenant, deps }: Pick<Answering, 'tenant' | 'deps'>,
): string | undefined {
  const state = requestState(ctx)
  const now = deps.clock.now()
  // The socket's, never what a header says (attack case M01). Before any cryptography.
  const { remoteAddress } = ctx.req.socket
  state.outcome = deps.peers.findOver(remoteAddress, now)
  if (state.outcome !== undefined) return undefined
  const certificate = deps.certificateOf(ctx.req)
  if (isRefusal(certificate)) {
    state.outcome = certificate
    return undefined
  }
  state.certificate = certificate
  const named = authenticator.authenticate(presentedBy(ctx, form, state, now))
  const fail = (guard: string): void => {
    state.authenticationGuard = guard
    deps.peers.countFailure(remoteAddress, now)
  }
  if (typeof named === 'string') {
    fail(named)
    return undefined
  }
  const { client } = named
  state.client = client
  let kid: string | undefined
  state.admission = beginAdmission(
    {
      accept: ({ method, credential }) => {
        const attester = attesterOf(tenant.agents.get(client)?.auth)
        state.record.note({
          client,
          client_auth: method,
          credential,
          ...(attester && { attester }),
        })
        if (method === 'private_key_jwt') kid = credential
        // Nothing is claimed where no token can come of it.
        if (endpointOf(ctx.path) === 'token') ensureRecordable(deps.audit)
        return deps.rates.findOver(tenant, client, now)
      },
      claim: (claim) => deps.replay.claimReplay(claim),
      count: () => {
        deps.usage.client(tenant.id, { id: client, kid }, now)
        return deps.rates.countClient(tenant, client, deps.clock.now())
      },
      fail,
    },
    { client, verified: deps.telemetry.span('authenticate', () => named.verified) },
  )
  return client
}

function presentedBy(
  ctx: KoaContextWithOIDC,
  form: ParsedForm,
  { certificate }: RequestState,
  now: number,
): PresentedCredentials {
  const headerOf = (name: string): string | undefined => ctx.get(name) || undefined
  return {
    form: form as PresentedCredentials['form'],
    authorization: headerOf('authorization'),
    attestation: headerOf('oauth-client-attestation'),
    attestationProof: headerOf('oauth-client-attestation-pop'),
    certificate,
    now,
  }
}

function configurationOf(deps: ProviderDeps): Configuration {
  // Whatever the tenant signs with: this one is made at once, at every change of the tenant.
  const key = generatePrivateJwk(UNUSED_ALGORITHM)
  return {
    adapter: nothingStored,
    clients: clientKinds(GRANTS, UNUSED_ALGORITHM),
    // The library signs and publishes nothing here; without a key it would fall back to a published one.
    jwks: { keys: [{ ...key, alg: UNUSED_ALGORITHM, use: 'sig' }] } as never,
    cookies: { keys: [deps.randomId()] },
    clientAuthMethods: ['none'],
    routes: { token: '/token', introspection: '/introspect', revocation: '/revoke' },
    responseTypes: [],
    scopes: [],
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true },
      revocation: { enabled: true },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: { enabled: false },
      // Proofs are checked by sender-proof.ts, with an atomic claim.
      dPoP: { enabled: false },
    },
  }
}

/** Nothing of the library's is kept: clients are configuration, tokens and single use are ours. */
function nothingStored(): Adapter {
  const nothing = (): Promise<undefined> => Promise.resolve(undefined)
  return {
    upsert: nothing,
    find: nothing,
    findByUserCode: nothing,
    findByUid: nothing,
    consume: nothing,
    destroy: nothing,
    revokeByGrantId: nothing,
  }
}
