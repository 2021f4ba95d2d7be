/** Threat K06 at the tenant's level: each development default is found and named with its file and member. */
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { PrivateKeyJwt } from '../../server/core/agent-auth.ts'
import { developmentDefaults } from '../../server/core/development-defaults.ts'
import { Secret } from '../../server/core/secret.ts'
import type { Agent, PublicJwk, Tenant, TrustedIssuer } from '../../server/core/tenant.ts'
import { permitAll } from './facts.ts'

const SETTINGS = { publicUrl: 'https://as.example.com', keySecret: new Secret('x'.repeat(32)) }

const IDP: TrustedIssuer = {
  id: 'idp',
  issuer: 'https://idp.example.com',
  keys: { jwksUri: 'https://idp.example.com/jwks' },
  algorithms: ['ES256'],
  tokenTypes: new Set(['id_token'] as const),
  subjectPrefix: '',
  clientClaim: undefined,
  scopeClaim: undefined,
  audiences: new Set(),
  subjectClaims: [],
  managementClient: undefined,
}

const PLANNER: Agent & { readonly auth: PrivateKeyJwt } = {
  id: 'planner',
  owner: 'team',
  class: 'orchestrator',
  purpose: undefined,
  scopes: new Set(),
  mayReach: new Set(),
  defaultTarget: undefined,
  home: 'planner',
  auth: { method: 'private_key_jwt', jwks: [rsaKey(2048)], development: false },
  issuerClients: new Map(),
  binding: 'dpop',
  expires: undefined,
  disabled: false,
  registeredAt: undefined,
}

function rsaKey(modulusLength: number): PublicJwk {
  return { ...generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' }) }
}

function aTenant(issuer: Partial<TrustedIssuer> = {}, auth: Partial<PrivateKeyJwt> = {}): Tenant {
  return {
    id: 'acme',
    issuer: 'https://as.example.com/t/acme',
    displayName: 'Acme',
    version: 'v',
    signingAlgorithm: 'ES256',
    limits: {
      maxDepth: 4,
      taskLifetime: 900,
      tokenLifetime: 300,
      tokensPerPlace: 9,
      tokensPerTask: 9,
      requestsPerClient: 100_000,
      requestsPerTenant: 1_000_000,
      requestsPerTask: 100_000,
    },
    trustedIssuers: new Map([['idp', { ...IDP, ...issuer }]]),
    eventReceivers: new Map(),
    eventTransmitters: new Map(),
    keysKilled: 0,
    keyCachePeriod: 600,
    dpopNonces: false,
    keptTexts: new Set(),
    trustDomains: new Map(),
    certificateAuthorities: new Map(),
    workloadIssuers: new Map(),
    attesters: new Map(),
    disabledSubjects: new Set(),
    agents: new Map([['planner', { ...PLANNER, auth: { ...PLANNER.auth, ...auth } }]]),
    resources: new Map(),
    resourcesByUri: new Map(),
    scopes: new Map(),
    taskTypes: new Map(),
    roles: [],
    rules: permitAll,
  }
}

describe('K06 development defaults', () => {
  test('K06 a tenant fit for production has none', () => {
    expect(developmentDefaults(SETTINGS, [aTenant()])).toEqual([])
  })

  test('K06 names the settings that are still on their defaults', () => {
    expect(developmentDefaults({ publicUrl: 'http://127.0.0.1:8460' }, [])).toEqual([
      'ACTCHAIN_PUBLIC_URL is plain http; set it to the https address clients use.',
      'ACTCHAIN_KEY_SECRET is not set; set it to at least 32 random characters.',
    ])
  })

  test('K06 names an agent with development keys', () => {
    expect(developmentDefaults(SETTINGS, [aTenant({}, { development: true })])).toEqual([
      "acme/agents.yaml: planner: auth: development_keys is for development; give the agent's own public keys.",
    ])
  })

  test('K06 names a trusted issuer on plain http, and its key address', () => {
    const issuer = 'http://127.0.0.1:8462'
    expect(
      developmentDefaults(SETTINGS, [aTenant({ issuer, keys: { jwksUri: `${issuer}/jwks` } })]),
    ).toEqual([
      `acme/tenant.yaml: trusted_issuers idp: issuer ${issuer} is plain http; use an https issuer.`,
      `acme/tenant.yaml: trusted_issuers idp: jwks_uri ${issuer}/jwks is plain http; use an https address.`,
    ])
  })

  test('K06 names an RSA key below 2048 bits, of an agent or an issuer', () => {
    const short = rsaKey(1024)
    const found = developmentDefaults(SETTINGS, [
      aTenant({ keys: { jwks: [short] } }, { jwks: [short] }),
    ])
    expect(found.map((line) => line.split(': an RSA key')[0])).toEqual([
      'acme/tenant.yaml: trusted_issuers idp: jwks',
      'acme/agents.yaml: planner: auth: jwks',
    ])
  })

  test('K06 names the key whose private half a library publishes', () => {
    const published = { kty: 'RSA', kid: 'keystore-CHANGE-ME' }
    expect(developmentDefaults(SETTINGS, [aTenant({}, { jwks: [published] })])).toEqual([
      'acme/agents.yaml: planner: auth: jwks: the private half of this key is published; use a key of your own.',
    ])
  })
})
