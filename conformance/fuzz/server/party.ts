/** A client of the server under test: its key, its proofs, its requests. */
import { createHash, randomUUID } from 'node:crypto'
import { epoch, newKey, type SigningKey, signingKey, signJwt } from '../../suite/jwt.ts'
import type { Party } from '../../suite/profile.ts'
import type { Target } from './target.ts'

const GRANTS = 'urn:ietf:params:oauth:grant-type:'
const TYPES = 'urn:ietf:params:oauth:token-type:'
export const EXCHANGE = `${GRANTS}token-exchange`
export const ACCESS_TOKEN = `${TYPES}access_token`
export const ID_TOKEN = `${TYPES}id_token`
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export type Members = Readonly<Record<string, unknown>>
export type Parameters = readonly (readonly [string, string])[]

export class FuzzClient {
  readonly id: string
  readonly key: SigningKey
  readonly proofKey: SigningKey = newKey()
  readonly #issuer: string

  constructor(issuer: string, party: Party) {
    this.#issuer = issuer
    this.id = party.client_id
    this.key = signingKey(party.jwk)
  }

  assertionParts(): { readonly header: Members; readonly claims: Members } {
    const now = epoch()
    const { alg, kid } = this.key
    return {
      header: { alg, typ: 'client-authentication+jwt', kid },
      claims: {
        iss: this.id,
        sub: this.id,
        aud: this.#issuer,
        jti: randomUUID(),
        iat: now,
        exp: now + 60,
      },
    }
  }

  proofParts(
    method: string,
    url: string,
    token?: string,
  ): { readonly header: Members; readonly claims: Members } {
    const { alg, publicJwk } = this.proofKey
    const ath =
      token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') }
    return {
      header: { alg, typ: 'dpop+jwt', jwk: publicJwk },
      claims: { jti: randomUUID(), htm: method, htu: url, iat: epoch(), ...ath },
    }
  }

  assertion(): string {
    const { header, claims } = this.assertionParts()
    return signJwt(this.key, header, claims)
  }

  proof(method: string, url: string, token?: string): string {
    const { header, claims } = this.proofParts(method, url, token)
    return signJwt(this.proofKey, header, claims)
  }

  credentials(): Parameters {
    return [
      ['client_assertion_type', ASSERTION_TYPE],
      ['client_assertion', this.assertion()],
    ]
  }
}

/** A user's ID token for this client. */
export function idTokenFor({ idp }: Target, clientId: string): string {
  const key = signingKey(idp.jwk)
  const now = epoch()
  return signJwt(
    key,
    { alg: key.alg, kid: key.kid, typ: 'JWT' },
    {
      iss: idp.issuer,
      sub: idp.subject,
      aud: clientId,
      iat: now,
      exp: now + 600,
      jti: randomUUID(),
      auth_time: now,
    },
  )
}

export function formOf(parameters: Parameters): Uint8Array {
  return Buffer.from(
    new URLSearchParams(parameters.map(([name, value]) => [name, value])).toString(),
  )
}
