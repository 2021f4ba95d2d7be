/**
 * A tenant: one issuer with its own keys, agents, resources and task types.
 * The facts an identity team writes in its folder, parsed once (server/tenants) and immutable from then on.
 */

import type { AgentAuth } from './agent-auth.ts'
import type { Rules } from './rules.ts'
import type { Attester, CertificateAuthority, TrustDomain, WorkloadIssuer } from './trust.ts'

/** In order: what a higher tier needs, a lower one does not. */
export const TIERS = ['read', 'propose', 'execute'] as const
export type Tier = (typeof TIERS)[number]
export type Sensitivity = 'low' | 'moderate' | 'high'
export type SigningAlgorithm = 'ES256' | 'EdDSA' | 'RS256'
export type AgentClass = 'retrieval' | 'worker' | 'orchestrator'

/** A public JSON Web Key as configured; read into a typed key once, by `keys`. */
export type PublicJwk = Readonly<Record<string, unknown>>

export interface Tenant {
  readonly id: string
  /** `{public}/t/{id}`, from configuration, compared as an exact string. */
  readonly issuer: string
  readonly displayName: string
  /** Content hash of the folder; every decision names it. */
  readonly version: string
  readonly signingAlgorithm: SigningAlgorithm
  readonly limits: Limits
  readonly trustedIssuers: ReadonlyMap<string, TrustedIssuer>
  /** Subjects (the tenant's own identifiers) on whose behalf nothing may be done. */
  readonly disabledSubjects: ReadonlySet<string>
  readonly agents: ReadonlyMap<string, Agent>
  /** Every resource by id: the folder's, and the home of each agent that has none there. */
  readonly resources: ReadonlyMap<string, Resource>
  /** The same resources by URI: exact strings, no normalisation (RFC 8707 §2). */
  readonly resourcesByUri: ReadonlyMap<string, Resource>
  /** A scope name belongs to one API of the tenant. */
  readonly scopes: ReadonlyMap<string, Scope>
  readonly taskTypes: ReadonlyMap<string, TaskType>
  /** Who of the issuers' people may manage this tenant. */
  readonly roles: readonly RoleGrant[]
  /** Others' products that listen to what ends here, by id. */
  readonly eventReceivers: ReadonlyMap<string, EventReceiver>
  /** Others' products whose events end tasks here, by id. */
  readonly eventTransmitters: ReadonlyMap<string, EventTransmitter>
  /** How many of its signing keys were killed: what was read of the tenant before is signed by none after (K04). */
  readonly keysKilled: number
  /** Seconds a verifier may hold the key set: a new key is published for twice as long before it signs. */
  readonly keyCachePeriod: number
  /** RFC 9449 §8: proofs at the token endpoint carry a nonce of ours. */
  readonly dpopNonces: boolean
  /** Free texts whose sealed form is kept beside the log; of the others there is a digest alone. */
  readonly keptTexts: ReadonlySet<TextName>
  /** SPIFFE trust domains by name. */
  readonly trustDomains: ReadonlyMap<string, TrustDomain>
  /** Who signs certificates of agents, by id. */
  readonly certificateAuthorities: ReadonlyMap<string, CertificateAuthority>
  /** Who signs tokens of workloads, by `issuer`, an exact string. */
  readonly workloadIssuers: ReadonlyMap<string, WorkloadIssuer>
  /** Who attests client instances, by `issuer`, an exact string. */
  readonly attesters: ReadonlyMap<string, Attester>
  /** The tenant's own rules, of this very version. */
  readonly rules: Rules
}

/** Free texts of people and agents: why a task is opened, why something was ended, what a tool was called with. */
export const TEXT_NAMES = ['purpose', 'because', 'input'] as const
export type TextName = (typeof TEXT_NAMES)[number]

/** Bounds of a tenant; times in seconds. */
export interface Limits {
  readonly maxDepth: number
  readonly taskLifetime: number
  readonly tokenLifetime: number
  readonly tokensPerPlace: number
  readonly tokensPerTask: number
  /** Requests in a minute: of one authenticated client, of the tenant, with tokens of one task. */
  readonly requestsPerClient: number
  readonly requestsPerTenant: number
  readonly requestsPerTask: number
}

/** Who signs subject tokens, and what of them is believed. Keyed by `issuer`, an exact string. */
export interface TrustedIssuer {
  readonly id: string
  readonly issuer: string
  readonly keys: { readonly jwksUri: string } | { readonly jwks: readonly PublicJwk[] }
  readonly algorithms: readonly SigningAlgorithm[]
  readonly tokenTypes: ReadonlySet<'id_token' | 'jwt'>
  /** Put before the issuer's `sub`; distinct per issuer, at most one empty. */
  readonly subjectPrefix: string
  /** The claim that names the calling client when the token's audience is our issuer. */
  readonly clientClaim: string | undefined
  /** The claim whose scopes bound what may be done for the subject; absent: no such bound. */
  readonly scopeClaim: string | undefined
  /** Names of this tenant there besides its issuer: audiences a token with the client claim may have. */
  readonly audiences: ReadonlySet<string>
  /** Claims of a subject that rules may read; each text or a list of texts. */
  readonly subjectClaims: readonly string[]
  /** The client whose ID tokens sign people in to manage this tenant; absent: nobody signs in from here. */
  readonly managementClient: string | undefined
}

export const ROLES = ['admin', 'policy_author', 'helpdesk', 'reviewer'] as const
export type Role = (typeof ROLES)[number]

/** People of a trusted issuer whose `claim` is, or contains, `value` have the role. */
export interface RoleGrant {
  readonly role: Role
  /** Trusted issuer id. */
  readonly issuer: string
  readonly claim: string
  readonly value: string
}

export interface Agent {
  readonly id: string
  readonly owner: string
  readonly class: AgentClass
  /** What it is for, in a sentence; shown to people and to rules. */
  readonly purpose: string | undefined
  /** What the agent may use or hand on. */
  readonly scopes: ReadonlySet<string>
  /** Ids of the resources it may ask a token for. */
  readonly mayReach: ReadonlySet<string>
  /** Resource id an exchange without a target goes to; its home otherwise. */
  readonly defaultTarget: string | undefined
  /** Resource id of its own endpoint, or of `{issuer}/agents/{id}`. */
  readonly home: string
  readonly auth: AgentAuth
  /** Trusted issuer id to the agent's client id there. */
  readonly issuerClients: ReadonlyMap<string, string>
  readonly binding: Binding
  /** Seconds since the epoch; absent: no expiry. */
  readonly expires: number | undefined
  readonly disabled: boolean
  /**
   * Seconds since the epoch; set where the id had belonged to another agent, which was removed: what was issued until
   * then is not this agent's (attack case E10).
   */
  readonly registeredAt: number | undefined
}

/** What an agent's tokens are bound to: a key proven by DPoP (RFC 9449), a certificate (RFC 8705 §3), nothing. */
export type Binding = 'dpop' | 'mtls' | 'bearer'

/** What a caller proved with a request, as rules read it. With both a proof and a certificate: `dpop`. */
export type KeyProof = 'dpop' | 'mtls' | 'none'

export interface Scope {
  readonly name: string
  readonly tier: Tier
  /** Its own, or its resource's. */
  readonly sensitivity: Sensitivity
  /** Resource id of the API that defines it. */
  readonly resource: string
}

export interface Resource {
  readonly id: string
  readonly uri: string
  readonly kind: 'api' | 'agent'
  /** The one agent that answers at this resource; absent for an API. */
  readonly agent: string | undefined
  /** API: the scopes it defines. Agent: the scopes it accepts to be handed. */
  readonly scopes: ReadonlySet<string>
  readonly sensitivity: Sensitivity
  /** Who answers for its data; rules compare it with an agent's owner or a subject's claims. */
  readonly owner: string | undefined
  /** With keys a resource server authenticates (client id = resource id), for introspection. */
  readonly keys: readonly PublicJwk[]
}

/** What kind of task a tenant allows. */
export interface TaskType {
  readonly id: string
  /** `policy`: opened for a user by an exchange. `client`: by an agent on its own behalf. */
  readonly basis: 'policy' | 'client'
  readonly openers: ReadonlySet<string>
  /** Trusted issuer ids whose subjects it may be opened for; empty with basis `client`. */
  readonly subjectsFrom: ReadonlySet<string>
  /** Ordered: the root's lists keep this order. */
  readonly scopes: readonly string[]
  /** Ordered resource ids. */
  readonly reach: readonly string[]
  readonly maxDepth: number
  /** Seconds a task of this type may last. */
  readonly lifetime: number
  /** Seconds a token of such a task may live, the home token excepted. */
  readonly tokenLifetime: number
  /** What ends such a task by itself. */
  readonly triggers: readonly Trigger[]
}

/** What may look wrong in a task. */
export const SIGNALS = [
  'exchanges',
  'fan_out',
  'refused_widening',
  'replayed_proof',
  'use_after_end',
] as const
export type Signal = (typeof SIGNALS)[number]

/** More than so many in so many seconds, in the whole task or at one place of it, and the task is suspended or revoked. */
export interface Trigger {
  readonly on: Signal
  readonly per: 'task' | 'place'
  readonly moreThan: number
  /** Seconds. */
  readonly within: number
  readonly verdict: 'suspend' | 'revoke'
}

/** Receives security events of this tenant (OpenID Shared Signals Framework): a client of ours. */
export interface EventReceiver {
  readonly id: string
  /** It authenticates with private_key_jwt, client id = its id. */
  readonly keys: readonly PublicJwk[]
  /** `bearer`: its management tokens are bound to no key. */
  readonly binding: 'dpop' | 'bearer'
  /** The only URLs events are pushed to; none: it polls. */
  readonly pushEndpoints: ReadonlySet<string>
}

/** Sends security events about subjects of one trusted issuer (RFC 8935). */
export interface EventTransmitter {
  readonly id: string
  /** `iss` of its security event tokens, an exact string. */
  readonly issuer: string
  /** What their `aud` must have. */
  readonly audience: string
  readonly keys: TrustedIssuer['keys']
  readonly algorithms: readonly SigningAlgorithm[]
  /** Trusted issuer id: whose subjects it speaks of. */
  readonly subjectsOf: string
}
