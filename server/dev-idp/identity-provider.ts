/**
 * A real OpenID provider for development (OpenID Connect Core, Discovery): authorization code with PKCE, ES256 ID tokens,
 * one client an agent. Everything oidc-provider would warn about or default to is set here.
 */
import { randomBytes } from 'node:crypto'
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { Provider } from 'oidc-provider/lib/provider.js'
import { memoryAdapter } from './memory-adapter.ts'
import { PEOPLE } from './people.ts'
import { ACR, serveSignInPage } from './sign-in-page.ts'

/** A private ES256 key as JWK. */
export interface SigningKey {
  readonly kty: string
  readonly kid: string
  readonly alg: string
  readonly use: string
}

export interface IdentityProviderOptions {
  readonly issuer: string
  readonly signingKey: SigningKey
  /** Client ids; undefined: every well-formed agent id is a client. */
  readonly clients?: ReadonlySet<string>
}

/** Seconds an ID token lives. */
export const ID_TOKEN_LIFETIME = 600

export function createIdentityProvider(options: IdentityProviderOptions): Provider {
  const provider = new Provider(options.issuer, configuration(options))
  serveSignInPage(provider)
  return provider
}

function configuration({ signingKey, clients }: IdentityProviderOptions): Configuration {
  return {
    adapter: memoryAdapter(clients),
    jwks: { keys: [{ ...signingKey }] },
    cookies: {
      keys: [randomBytes(32).toString('base64url')],
      names: { interaction: 'dev_idp_interaction', resume: 'dev_idp_resume', session: 'dev_idp' },
      long: { signed: true, httpOnly: true, sameSite: 'lax' },
      short: { signed: true, httpOnly: true, sameSite: 'lax' },
    },
    acrValues: [ACR],
    scopes: ['openid'],
    claims: { openid: ['sub', 'auth_time', 'acr'] },
    responseTypes: ['code'],
    clientAuthMethods: ['none'],
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    pkce: { required: () => true },
    routes: { jwks: '/jwks', authorization: '/authorize', token: '/token' },
    features: FEATURES,
    ttl: TTL,
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    clientBasedCORS: () => false,
    findAccount: (_ctx, id) =>
      PEOPLE.includes(id) ? { accountId: id, claims: () => ({ sub: id }) } : undefined,
    loadExistingGrant,
    renderError: (ctx, { error, error_description }) => {
      ctx.type = 'text'
      ctx.body = `${error}: ${error_description ?? ''}\n`
    },
  }
}

function logoutSource(ctx: KoaContextWithOIDC, form: string): void {
  ctx.body = `<!doctype html><title>Sign out</title><h1>Sign out?</h1>${form}
<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`
}

function postLogoutSuccessSource(ctx: KoaContextWithOIDC): void {
  ctx.type = 'text'
  ctx.body = 'Signed out.\n'
}

const FEATURES = {
  devInteractions: { enabled: false },
  dPoP: { enabled: false },
  pushedAuthorizationRequests: { enabled: false },
  resourceIndicators: { enabled: false },
  // Choosing another user than before ends the earlier sign-in on the way.
  rpInitiatedLogout: { enabled: true, logoutSource, postLogoutSuccessSource },
  userinfo: { enabled: false },
} as const

/** Seconds. A code is spent at once; a sign-in lasts a working day at most. */
const TTL = {
  AccessToken: 600,
  AuthorizationCode: 60,
  Grant: 8 * 3600,
  IdToken: ID_TOKEN_LIFETIME,
  Interaction: 600,
  Session: 8 * 3600,
} as const

/** Signing in is consent: a fresh grant of `openid` for each authorization. */
const loadExistingGrant: Configuration['loadExistingGrant'] = async (ctx) => {
  const { provider, client, session } = ctx.oidc
  if (!client || !session?.accountId) return undefined
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
  grant.addOIDCScope('openid')
  await grant.save()
  return grant
}
