/**
 * An OAuth client that can be wrong in one thing at a time: a member of its assertion, of its proof, of the form, or of
 * the request around them.
 */
import { randomUUID } from 'node:crypto'
import { endpointOf, isOffered } from './documents.ts'
import { type ClientCertificate, FORM_TYPE, type Form, form, type Reply, send } from './http.ts'
import { type Claims, epoch, newKey, type SigningKey, signingKey, signJwt } from './jwt.ts'
import type { Authentication, EndpointName, Party } from './profile.ts'

export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** Takes the assertion out of a request that would have one. */
export const NO_ASSERTION = { client_assertion: undefined, client_assertion_type: undefined }
const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:'
export const ACCESS_TOKEN = `${TOKEN_TYPE}access_token`
export const ID_TOKEN = `${TOKEN_TYPE}id_token`
export const JWT = `${TOKEN_TYPE}jwt`

/** What to do otherwise than right. Members that are undefined are left out. */
export interface Fault {
  readonly assertion?: Claims
  readonly assertionHeader?: Claims
  readonly assertionKey?: SigningKey
  /** Instead of the client's own. */
  readonly secret?: string
  /** Without any authentication. */
  readonly anonymous?: boolean
  readonly proof?: Claims
  readonly proofHeader?: Claims
  readonly proofKey?: SigningKey
  /** Sent as DPoP header instead of a proof made here; null for none. */
  readonly proofs?: string | readonly string[] | null
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly method?: string
  readonly query?: string
  /** Replaces the body. */
  readonly body?: string
  /** Shown in the handshake. */
  readonly certificate?: ClientCertificate
}

export class Client {
  readonly id: string
  readonly issuer: string
  readonly key: SigningKey
  readonly proofKey: SigningKey = newKey()
  /** Whether its token requests carry proofs. */
  readonly hasProofs: boolean
  readonly #secret: string
  readonly #way: Authentication

  constructor(issuer: string, party: Party) {
    this.issuer = issuer
    this.id = party.client_id
    this.key = signingKey(party.jwk)
    this.hasProofs = party.dpop ?? isOffered('dpop')
    this.#secret = party.client_secret ?? ''
    const usual = party.client_secret === undefined ? 'private_key_jwt' : 'client_secret_basic'
    this.#way = party.auth ?? usual
  }

  assertion({ assertion, assertionHeader, assertionKey = this.key }: Fault = {}): string {
    const now = epoch()
    const { kid } = this.key
    return signJwt(
      assertionKey,
      { alg: assertionKey.alg, typ: 'client-authentication+jwt', kid, ...assertionHeader },
      {
        iss: this.id,
        sub: this.id,
        aud: this.issuer,
        jti: randomUUID(),
        iat: now,
        exp: now + 60,
        ...assertion,
      },
    )
  }

  proof({ proof, proofHeader, proofKey = this.proofKey }: Fault = {}): string {
    return signJwt(
      proofKey,
      { alg: proofKey.alg, typ: 'dpop+jwt', jwk: proofKey.publicJwk, ...proofHeader },
      { jti: randomUUID(), htm: 'POST', htu: this.url('token'), iat: epoch(), ...proof },
    )
  }

  /** Where an endpoint of the issuer is. */
  url(name: EndpointName): string {
    return endpointOf(this.issuer, name)
  }

  /** The form and the headers that authenticate it. */
  credentials(fault: Fault = {}): {
    readonly form: Form
    readonly headers: Readonly<Record<string, string>>
  } {
    if (this.#way === 'private_key_jwt') {
      const client_assertion = this.assertion(fault)
      return { form: { client_assertion_type: ASSERTION_TYPE, client_assertion }, headers: {} }
    }
    const secret = fault.secret ?? this.#secret
    if (this.#way === 'client_secret_post') {
      return { form: { client_id: this.id, client_secret: secret }, headers: {} }
    }
    return { form: {}, headers: { authorization: basic(this.id, secret) } }
  }

  /** An authenticated request to an endpoint of the issuer. */
  post(endpoint: EndpointName, parameters: Form, fault: Fault = {}): Promise<Reply> {
    const isElse = 'client_assertion' in parameters || fault.anonymous === true
    const credentials = isElse ? { form: {}, headers: {} } : this.credentials(fault)
    return send(`${this.url(endpoint)}${fault.query ?? ''}`, {
      method: fault.method ?? 'POST',
      headers: { 'content-type': FORM_TYPE, ...credentials.headers, ...fault.headers },
      body: fault.body ?? form({ ...credentials.form, ...parameters }),
      certificate: fault.certificate,
    })
  }

  /** The header that proves possession, where its requests have one. */
  proofHeader(): Readonly<Record<string, string>> {
    return this.hasProofs ? { dpop: this.proof() } : {}
  }

  /** A token request, with a proof. */
  token(parameters: Form, fault: Fault = {}): Promise<Reply> {
    const usual = this.hasProofs ? this.proof(fault) : null
    const dpop = fault.proofs === undefined ? usual : fault.proofs
    const headers = { ...(dpop === null ? {} : { dpop }), ...fault.headers }
    return this.post('token', parameters, { ...fault, headers })
  }

  exchange(subject: string, parameters: Form = {}, fault: Fault = {}): Promise<Reply> {
    const given = { subject_token: subject, subject_token_type: ACCESS_TOKEN }
    return this.token({ grant_type: EXCHANGE, ...given, ...parameters }, fault)
  }

  /** A token on its own behalf. */
  alone(parameters: Form = {}, fault: Fault = {}): Promise<Reply> {
    return this.token({ grant_type: 'client_credentials', ...parameters }, fault)
  }

  introspect(token: string, parameters: Form = {}): Promise<Reply> {
    return this.post('introspection', { token, ...parameters })
  }

  revoke(token: string, parameters: Form = {}): Promise<Reply> {
    return this.post('revocation', { token, ...parameters })
  }
}

/** RFC 6749 §2.3.1: both parts are form-encoded first. */
export function basic(name: string, secret: string): string {
  const encoded = [name, secret].map((text) => form({ x: text }).slice(2)).join(':')
  return `Basic ${Buffer.from(encoded).toString('base64')}`
}
