/**
 * An OAuth client for tests: authenticates by private_key_jwt, proves its key by DPoP, and lets a test change one member of
 * either, or of the form, before it is sent over a real socket.
 */
import { randomUUID } from 'node:crypto'
import { bareJwk, epoch, newKey, signJwt, type TestKey } from './signing.ts'

export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
export const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt'
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export interface Answer {
  readonly status: number
  readonly body: Record<string, any>
  readonly headers: Headers
  readonly text: string
}

export type Parameter = string | readonly string[] | undefined
export type Parameters = Readonly<Record<string, Parameter>>

export interface Overrides {
  /** Members of the client assertion; undefined removes one. */
  readonly assertion?: Readonly<Record<string, unknown>>
  readonly assertionHeader?: Readonly<Record<string, unknown>>
  readonly assertionKey?: TestKey
  /** Members of the proof; `null`: no proof at all. */
  readonly proof?: Readonly<Record<string, unknown>> | null
  readonly proofHeader?: Readonly<Record<string, unknown>>
  readonly proofKey?: TestKey
  readonly headers?: Readonly<Record<string, string>>
  /** Replaces the whole form body. */
  readonly rawBody?: string
}

/** How a request goes out: `fetch`, or over a TLS connection of a test's own. */
export type Send = (
  url: string,
  request: {
    readonly method: string
    readonly body: string
    readonly headers: Readonly<Record<string, string>>
  },
) => Promise<Response>

export class AgentClient {
  readonly id: string
  readonly issuer: string
  readonly key: TestKey
  readonly proofKey: TestKey = newKey()
  /** Looked up at each request: a test may have put another in its place. */
  readonly send: Send = (url, init) => fetch(url, init)

  constructor(issuer: string, id: string, key: TestKey) {
    this.issuer = issuer
    this.id = id
    this.key = key
  }

  /** The same client with the same keys, over another connection. */
  over(send: Send): AgentClient {
    const { issuer, id, key, proofKey } = this
    return Object.assign(new AgentClient(issuer, id, key), { proofKey, send })
  }

  assertion(overrides: Overrides = {}): string {
    const now = epoch()
    return signJwt(
      overrides.assertionKey ?? this.key,
      {
        alg: 'ES256',
        typ: 'client-authentication+jwt',
        kid: this.key.publicJwk['kid'],
        ...overrides.assertionHeader,
      },
      {
        iss: this.id,
        sub: this.id,
        aud: this.issuer,
        jti: randomUUID(),
        iat: now,
        exp: now + 60,
        ...overrides.assertion,
      },
    )
  }

  proof(overrides: Overrides = {}): string {
    const key = overrides.proofKey ?? this.proofKey
    return signJwt(
      key,
      { alg: 'ES256', typ: 'dpop+jwt', jwk: bareJwk(key), ...overrides.proofHeader },
      {
        jti: randomUUID(),
        htm: 'POST',
        htu: `${this.issuer}/token`,
        iat: epoch(),
        ...overrides.proof,
      },
    )
  }

  /** POST to an endpoint of the issuer, authenticated; `form` parameters may repeat. */
  async post(endpoint: string, form: Parameters, overrides: Overrides = {}): Promise<Answer> {
    const body = new URLSearchParams()
    const all: Parameters = {
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: 'client_assertion' in form ? undefined : this.assertion(overrides),
      ...form,
    }
    for (const [name, value] of Object.entries(all)) {
      for (const item of Array.isArray(value) ? value : [value]) {
        if (item !== undefined) body.append(name, item)
      }
    }
    const response = await this.send(`${this.issuer}/${endpoint}`, {
      method: 'POST',
      body: overrides.rawBody ?? body.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...overrides.headers },
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : {},
    }
  }

  /** POST to the token endpoint, with a proof unless `overrides.proof` is null. */
  token(form: Parameters, overrides: Overrides = {}): Promise<Answer> {
    const proof = overrides.proof === null ? {} : { dpop: this.proof(overrides) }
    return this.post('token', form, { ...overrides, headers: { ...proof, ...overrides.headers } })
  }

  exchange(subject: string, form: Parameters = {}, overrides: Overrides = {}): Promise<Answer> {
    return this.token(
      { grant_type: EXCHANGE, subject_token: subject, subject_token_type: ACCESS_TOKEN, ...form },
      overrides,
    )
  }

  /** The root exchange, from a user's ID token. */
  open(idToken: string, form: Parameters = {}, overrides: Overrides = {}): Promise<Answer> {
    return this.exchange(idToken, { subject_token_type: ID_TOKEN, ...form }, overrides)
  }

  introspect(token: string, form: Parameters = {}): Promise<Answer> {
    return this.post('introspect', { token, ...form })
  }

  revoke(token: string, form: Parameters = {}): Promise<Answer> {
    return this.post('revoke', { token, ...form })
  }
}
