/**
 * What a vector says: a presentation of a token, everything a verifier knows at that moment, and the verdict it has to come
 * to. The files are JSON, held to schema.json; README.md says how to run them in any language. Times are seconds since the epoch.
 */

/** How the resource server is set up. A vector's own members replace those of its file. */
export interface Configuration {
  readonly issuer: string
  readonly audience: string
  /** The scope the route asks for, one or more names. */
  readonly required_scope?: string
  /** The route is the door of an agent: being addressed is enough, and no scope is asked for, whatever `required_scope` says. */
  readonly handover?: true
  /** The route takes delegated tokens alone. */
  readonly delegated?: true
  /** The verifier's own limit, 1 to 8. Default 8. */
  readonly max_hops?: number
  /** Whether a token without `cnf` passes. Default `refused`. */
  readonly bearer?: 'refused' | 'allowed'
  /** Seconds, 0 to 5. Default 5. */
  readonly clock_tolerance?: number
  readonly algorithms?: readonly string[]
  /** Proofs need a nonce, and these hold. */
  readonly nonces?: readonly string[]
  /** Whether status lists are read. Default `off`. */
  readonly revocation?: 'off' | 'required'
  /** Seconds, 1 to 60, that a list may be old. Default 10. */
  readonly freshness?: number
  /** Where the route asks for one of these, not more than 5. Default none. */
  readonly execute_scopes?: readonly string[]
}

/** The request a token comes with. */
export interface VectorRequest {
  readonly method: string
  readonly url: string
  readonly scheme?: 'DPoP' | 'Bearer'
  /** The one DPoP header. */
  readonly proof?: string
  /** base64url SHA-256 of the client's certificate, as the TLS layer knows it (RFC 8705 §3.1). */
  readonly certificate_thumbprint?: string
}

/** What a fetch of this URI gives; a list that is not here cannot be had. */
export interface PublishedList {
  readonly uri: string
  /** The status list token. */
  readonly token: string
}

export interface Expected {
  readonly verdict: 'accept' | 'reject'
  /** Of a refusal: the one that the order of the rules gives first. */
  readonly reason?: string
  /** Others that an implementation with another order of checks may give. */
  readonly or?: readonly string[]
  readonly status?: number
  /** What an accepted token says. */
  readonly report?: Report
}

export interface Report {
  readonly subject: string
  /** Who calls. */
  readonly actor: string
  /** Agents of the place, the caller first. */
  readonly chain: readonly string[]
  readonly scope: readonly string[]
  /** What each agent of `chain` was given. */
  readonly ceilings: readonly {
    readonly scope: readonly string[]
    readonly reach: readonly string[]
    readonly audience: string
    readonly expires_at: number
  }[]
  readonly basis: string
  readonly txn: string
  readonly jti: string
  readonly expires_at: number
  readonly revocation: 'checked' | 'not_checked'
}

/** RFC 7517 §5 */
export interface Jwks {
  readonly keys: readonly object[]
}

export interface Vector {
  /** Unique over all files, and kept for good: `{file}-{six hexadecimal digits}`. */
  readonly id: string
  readonly title: string
  /** Where the rule is written: `chain-format §2.4`, `RFC 9449 §4.3`. */
  readonly rules: readonly string[]
  readonly now?: number
  readonly configuration?: Partial<Configuration>
  /** Instead of the file's keys. */
  readonly jwks?: Jwks
  readonly status_lists?: readonly PublishedList[]
  readonly token: string
  readonly request: VectorRequest
  readonly expected: Expected
}

export interface VectorFile {
  readonly $schema: './schema.json'
  readonly description: string
  readonly now: number
  readonly configuration: Configuration
  readonly jwks: Jwks
  readonly vectors: readonly Vector[]
}

/** A vector with everything of its file filled in. */
export type Case = Required<Pick<Vector, 'now' | 'jwks' | 'status_lists' | 'token' | 'request'>> & {
  readonly configuration: Configuration
}

export function caseOf(file: VectorFile, vector: Vector): Case {
  const { now = file.now, jwks = file.jwks, status_lists = [], token, request } = vector
  const configuration = { ...file.configuration, ...vector.configuration }
  return { now, jwks, status_lists, token, request, configuration }
}
