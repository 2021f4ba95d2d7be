/**
 * A tenant: one issuer with its own keys, agents, resources and task types.
 * The facts an identity team writes in its folder, parsed once (server/tenants) and immutable from then on.
 */

export type Tier = 'read' | 'propose' | 'execute'
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
}

/** Bounds of a tenant; times in seconds. */
export interface Limits {
  readonly maxDepth: number
  readonly taskLifetime: number
  readonly tokenLifetime: number
  readonly tokensPerPlace: number
  readonly tokensPerTask: number
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
}

export interface Agent {
  readonly id: string
  readonly owner: string
  readonly class: AgentClass
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
  readonly binding: 'dpop' | 'bearer'
  /** Seconds since the epoch; absent: no expiry. */
  readonly expires: number | undefined
  readonly disabled: boolean
}

/** RFC 7523 §2.2: an agent proves itself by a key. `development`: a key pair the server makes, refused in production. */
export interface AgentAuth {
  readonly method: 'private_key_jwt'
  readonly jwks: readonly PublicJwk[]
  readonly development: boolean
}

export interface Scope {
  readonly name: string
  readonly tier: Tier
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
  readonly sensitivity: 'low' | 'moderate' | 'high'
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
}
