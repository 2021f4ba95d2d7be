/**
 * What the suite is told of the servers under test: one JSON file, named by CONFORMANCE_PROFILE, which the runner writes
 * from a profile in YAML. Everything else it learns from the servers themselves. What a profile leaves out has a stand-in
 * (given.ts), and needs.ts tells which checks do without it.
 */
import { readFileSync } from 'node:fs'
import type { Feature, Metadata } from '../features.ts'
import type { Level } from '../run/result.ts'

export type Jwk = Readonly<Record<string, unknown>>
export type Authentication = 'private_key_jwt' | 'client_secret_basic' | 'client_secret_post'

/** A client and how it authenticates: with its key, unless it has a secret. */
export interface Party {
  readonly client_id: string
  /** Private. */
  readonly jwk: Jwk
  readonly client_secret?: string
  /** Default: client_secret_basic with a secret, private_key_jwt without. */
  readonly auth?: Authentication
  /** Whether its token requests carry proofs. Default: where the metadata says that the server takes them. */
  readonly dpop?: boolean
}

/** Names of endpoints that the metadata lacks, or has otherwise. */
export type EndpointName = 'token' | 'introspection' | 'revocation' | 'jwks'

/** How second comes by a token it may exchange, in one of four ways. `type` is a URN of RFC 8693 §3, or its last word. */
export interface SubjectToken {
  readonly type: string
  readonly token?: string
  /** Path of a file that has the token. */
  readonly file?: string
  /** Prints one; run anew where a check needs a fresh one. */
  readonly command?: string
  /** An ID token for second, signed with the key of `idp`. */
  readonly idp?: boolean
}

/** A client that acts, and where others hand their work to it. */
export interface Agent extends Party {
  /** Its own resource, which may be named as `resource`. */
  readonly endpoint: string
}

/** A resource server with keys of its own, for introspection. */
export interface Api extends Party {
  readonly uri: string
  /** Its name as `audience`. */
  readonly name: string
}

export interface Profile {
  readonly issuer: string
  readonly endpoints?: Readonly<Partial<Record<EndpointName | 'metadata', string>>>
  /** What metadata has no word for, or says wrongly. */
  readonly features?: Readonly<Partial<Record<Feature, boolean>>>
  readonly level?: Level
  /** Instead of a token that first hands to second. */
  readonly subject?: SubjectToken
  /** Metadata documents by issuer, where somebody has read them already. */
  readonly documents?: Readonly<Record<string, Metadata>>
  /** Beginnings of ids of requirements the servers do not claim, such as `7009-`: their tests are left out. */
  readonly not_claimed?: readonly string[]
  /** Path of a PEM file with the authority that signed the servers' certificates. */
  readonly ca?: string
  /**
   * first opens a task for a user and hands it to second, second to third, third to fourth. The stranger is a good
   * client nobody hands anything to, the retired one is disabled. All may act on their own behalf.
   */
  readonly agents: Readonly<
    Record<'first' | 'second' | 'third' | 'fourth' | 'stranger' | 'retired', Agent>
  >
  /** A client with an RSA key. It may act on its own behalf. */
  readonly rsa?: Party
  /** Most agents a chain may have. */
  readonly max_depth: number
  /** Whose ID tokens open a task. Its audience is the opener's client id. */
  readonly idp: Party & {
    readonly issuer: string
    readonly subject: string
    readonly disabled_subject: string
  }
  /** A second trusted issuer, and what its subjects are called by the server. */
  readonly partner: Party & {
    readonly issuer: string
    readonly subject: string
    readonly known_as: string
  }
  /** second and third may read and write here, and the example resource server answers at it. */
  readonly api: Api & { readonly read: string; readonly write: string }
  /** Of another API; second may use its scope, third may not. */
  readonly other_api: Api & { readonly scope: string }
  /** A scope of the API that first may hand to second, and third, who has it too, by policy may not. */
  readonly withheld?: string
  /** An authorization server that the first one does not trust, with a client of its own. */
  readonly other: { readonly issuer: string; readonly agent: Agent; readonly api: Api }
  /** An authorization server that asks for nonces in proofs, with a client that may act for itself at the API. */
  readonly nonces?: Profile['other']
  /** An authorization server where a client has a secret, and may act for itself at the API. */
  readonly secrets?: Profile['other']
  /** A resource of the first server whose URI has a query; second may act for itself there. */
  readonly queried?: string
  /** An authorization server where a client that has keys is registered for tokens bound to its certificate. */
  readonly bound?: BoundProfile
  /** An authorization server with clients that authenticate by certificate. */
  readonly certificates?: CertificateProfile
  /** Receives security events; its management tokens are bound to a key. Another one may not see its stream. */
  readonly receiver?: Party
  readonly other_receiver?: Party
  /** An https address that the events of both may be pushed to; nobody need answer there. */
  readonly push_endpoint?: string
  /** Clients that authenticate by JWT-SVIDs, of trust domains whose keys the suite holds. */
  readonly spiffe?: SpiffeProfile
  /** A second instance, whose facts and policy can be changed while it holds live tasks. */
  readonly changing?: Pick<Profile, 'issuer' | 'agents' | 'idp' | 'api'> & {
    /**
     * POST to `{control}/disabled/{client id}`: answered when that agent is disabled; to `{control}/forbidden/{client id}`:
     * when policy lets it call nothing any more.
     */
    readonly control: string
  }
  /** Resource servers that trust issuers the suite itself plays. */
  readonly vectors?: VectorProfile
}

export interface SpiffeProfile {
  /** May act on its own behalf at the API. */
  readonly client_id: string
  readonly spiffe_id: string
  /** What its trust domain signs JWT-SVIDs with, by this `kid`. */
  readonly jwk: Jwk
  /** Keys of the same bundle that are there for other uses, or for none. */
  readonly misused: readonly Jwk[]
  /** Of another trust domain, whose key has the same `kid`: the client is every SPIFFE ID beneath this one. */
  readonly other: { readonly client_id: string; readonly beneath: string; readonly jwk: Jwk }
  /** Of a trust domain whose bundle has no keys any more; this was one. */
  readonly revoked: { readonly spiffe_id: string; readonly jwk: Jwk }
}

export interface BoundProfile {
  readonly issuer: string
  /** May act on its own behalf at the API, and hold a token for itself. */
  readonly agent: Agent
  readonly api: Api & { readonly read: string }
  /** Paths of PEM files: two self-signed ones, either of which it may show. */
  readonly certificates: readonly { readonly cert: string; readonly key: string }[]
}

export interface CertificateProfile {
  readonly issuer: string
  readonly api: Api & { readonly read: string }
  /**
   * `issued` and `address` are vouched for by an authority, the address is registered in another spelling; `registered` is its own;
   * `workload` has an X.509-SVID beneath an intermediate, `named` is the same one by its SPIFFE ID, `fleet` is one of many.
   */
  readonly accepted: Readonly<Record<string, CertificateClient>>
  /** Each sound but for what the requirement is about. */
  readonly refused: readonly (CertificateClient & {
    readonly requirement: string
    readonly what: string
  })[]
}

/** Paths of PEM files: the certificate with those that come beside it, and its key. */
export interface CertificateClient {
  /** Whom it is shown as. */
  readonly client_id: string
  readonly cert: string
  readonly key: string
}

export interface VectorProfile {
  /** Where the suite serves documents of the issuers it plays. */
  readonly site: { readonly port: number; readonly cert: string; readonly key: string }
  /** Its metadata is good, and it signs by `jwk`. */
  readonly issuer: string
  readonly jwk: Jwk
  /** A second key of this issuer, for RS256. */
  readonly rsa_jwk?: Jwk
  /** Another issuer with its own key under the same `kid`. */
  readonly other_issuer: string
  readonly other_jwk: Jwk
  /**
   * Takes tokens of `issuer`, bound or not, to certificates too; `uri` is its audience. Only `actor` may call it. Its proofs need
   * nonces.
   */
  readonly server: { readonly uri: string; readonly scope: string; readonly actor: string }
  /** The same, for an issuer whose metadata names another issuer. */
  readonly misled: { readonly uri: string; readonly issuer: string }
  /** Paths of PEM files: client certificates that no authority signed. */
  readonly client_certificates: readonly { readonly cert: string; readonly key: string }[]
}

/** A profile as it is written: all but the issuer may be left out. */
export type GivenProfile = Partial<Omit<Profile, 'agents' | 'api'>> & {
  readonly issuer: string
  readonly agents?: Partial<Record<keyof Profile['agents'], Partial<Agent>>>
  readonly api?: Partial<Profile['api']>
}

export function readProfile(): GivenProfile {
  const path = process.env['CONFORMANCE_PROFILE']
  if (path === undefined) throw new Error('CONFORMANCE_PROFILE is not set')
  return JSON.parse(readFileSync(path, 'utf8')) as GivenProfile
}
