/**
 * What is fine on a laptop and fatal in production, found and named (attack case K06). Pure: the caller refuses to start in
 * production when the list is not empty. Each line names the setting, or the tenant's file and member, and the cure.
 */
import type { Agent, EventReceiver, PublicJwk, Tenant, TrustedIssuer } from './tenant.ts'
import type { WorkloadKeys } from './trust.ts'

/** The settings that have a development default. */
export interface JudgedSettings {
  readonly publicUrl: string
  readonly keySecret?: unknown
}

/** RFC 7518 §3.3: RSA keys of 2048 bits or more. */
const LEAST_RSA_BITS = 2048

/** The key pair oidc-provider prints in its source: whoever reads it can sign with it. */
const PUBLISHED_KEY_IDS: ReadonlySet<unknown> = new Set(['keystore-CHANGE-ME'])

/** Every development default in use; empty when there is none. */
export function developmentDefaults(
  settings: JudgedSettings,
  tenants: Iterable<Tenant>,
): readonly string[] {
  return [...settingDefaults(settings), ...[...tenants].flatMap(tenantDefaults)]
}

function settingDefaults(settings: JudgedSettings): readonly string[] {
  const found: string[] = []
  if (!settings.publicUrl.startsWith('https://')) {
    found.push('ACTCHAIN_PUBLIC_URL is plain http; set it to the https address clients use.')
  }
  if (settings.keySecret === undefined) {
    found.push('ACTCHAIN_KEY_SECRET is not set; set it to at least 32 random characters.')
  }
  return found
}

function tenantDefaults(tenant: Tenant): readonly string[] {
  return [
    ...[...tenant.trustedIssuers.values()].flatMap((issuer) => issuerDefaults(tenant, issuer)),
    ...[...tenant.eventReceivers.values()].flatMap((receiver) =>
      receiverDefaults(tenant, receiver),
    ),
    ...[...tenant.eventTransmitters.values()].flatMap((party) =>
      signerDefaults(`${tenant.id}/tenant.yaml: event_transmitters ${party.id}`, party),
    ),
    ...workloadDefaults(tenant),
    ...[...tenant.agents.values()].flatMap((agent) => agentDefaults(tenant, agent)),
    ...[...tenant.resources.values()].flatMap((resource) =>
      weakKeys(`${tenant.id}/resources.yaml: ${resource.id}: keys`, resource.keys),
    ),
  ]
}

function issuerDefaults(tenant: Tenant, issuer: TrustedIssuer): readonly string[] {
  return signerDefaults(`${tenant.id}/tenant.yaml: trusted_issuers ${issuer.id}`, issuer)
}

/** Whoever signs what we believe: by whose name, with which keys. */
function signerDefaults(
  member: string,
  { issuer, keys }: { readonly issuer: string; readonly keys: WorkloadKeys },
): readonly string[] {
  const found = plainHttp(`${member}: issuer`, issuer, 'issuer')
  if ('jwks' in keys) return [...found, ...weakKeys(`${member}: jwks`, keys.jwks)]
  // Discovered at the issuer, which is judged above.
  if ('discover' in keys) return found
  return [...found, ...plainHttp(`${member}: jwks_uri`, keys.jwksUri)]
}

function plainHttp(member: string, uri: string, noun = 'address'): readonly string[] {
  return uri.startsWith('https://') ? [] : [`${member} ${uri} is plain http; use an https ${noun}.`]
}

function receiverDefaults(tenant: Tenant, receiver: EventReceiver): readonly string[] {
  const member = `${tenant.id}/tenant.yaml: event_receivers ${receiver.id}`
  return [
    ...[...receiver.pushEndpoints].flatMap((url) => plainHttp(`${member}: push_endpoints`, url)),
    ...weakKeys(`${member}: jwks`, receiver.keys),
  ]
}

function workloadDefaults(tenant: Tenant): readonly string[] {
  const file = `${tenant.id}/tenant.yaml`
  return [
    ...[...tenant.trustDomains.values()].flatMap(({ name, bundle }) =>
      'url' in bundle ? plainHttp(`${file}: trust_domains ${name}: bundle_url`, bundle.url) : [],
    ),
    ...[...tenant.workloadIssuers.values()].flatMap((issuer) => {
      const member = `${file}: workload_issuers ${issuer.id}`
      const { tokenReview: review } = issuer
      return [
        ...signerDefaults(member, issuer),
        ...(review === undefined ? [] : plainHttp(`${member}: token_review url`, review.url)),
      ]
    }),
    ...[...tenant.attesters.values()].flatMap((attester) =>
      signerDefaults(`${file}: attesters ${attester.id}`, attester),
    ),
  ]
}

function agentDefaults(tenant: Tenant, agent: Agent): readonly string[] {
  const member = `${tenant.id}/agents.yaml: ${agent.id}: auth`
  if (agent.auth.method !== 'private_key_jwt') return []
  const found = agent.auth.development
    ? [`${member}: development_keys is for development; give the agent's own public keys.`]
    : []
  return [...found, ...weakKeys(`${member}: jwks`, agent.auth.jwks)]
}

function weakKeys(member: string, keys: readonly PublicJwk[]): readonly string[] {
  return keys.flatMap((key) => {
    if (PUBLISHED_KEY_IDS.has(key['kid'])) {
      return [`${member}: the private half of this key is published; use a key of your own.`]
    }
    return isShortRsa(key)
      ? [`${member}: an RSA key is shorter than ${LEAST_RSA_BITS} bits; use a longer one.`]
      : []
  })
}

function isShortRsa(key: PublicJwk): boolean {
  if (key['kty'] !== 'RSA') return false
  const modulus = key['n']
  // Six bits a base64url character, and the last one may hold padding bits: whole octets count.
  return typeof modulus !== 'string' || Math.floor((modulus.length * 6) / 8) * 8 < LEAST_RSA_BITS
}
