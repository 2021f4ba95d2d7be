/**
 * How an agent gets tokens and shows them: openid-client alone, with private_key_jwt (RFC 7523 §2.2), token exchange
 * (RFC 8693 §2.1) and DPoP (RFC 9449). Nothing of Actchain is needed to ask.
 */
import { readFile } from 'node:fs/promises'
import * as oauth from 'openid-client'
import type { Account, Leg, RefusedOutcome, Work } from './account.ts'

export interface Identity {
  readonly id: string
  readonly issuer: string
  /** Private JWK, ES256. */
  readonly keyFile: string
}

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

export interface SubjectToken {
  readonly text: string
  readonly type: 'access_token' | 'id_token'
}

/** Somebody said no; the work ends with it. */
export class Refused extends Error {
  readonly outcome: RefusedOutcome

  constructor(outcome: RefusedOutcome) {
    super(outcome.text)
    this.outcome = outcome
  }
}

export interface OAuthClient {
  /** A token for the leg's target. Throws `Refused`. */
  exchange(subject: SubjectToken, leg: Leg): Promise<string>
  /** Shows a token where the leg leads, with the rest of the work. Throws `Refused`. */
  show(token: string, leg: Leg, work: Work): Promise<Account>
}

export async function createOAuthClient({ id, issuer, keyFile }: Identity): Promise<OAuthClient> {
  const configuration = await oauth.discovery(
    new URL(issuer),
    id,
    undefined,
    oauth.PrivateKeyJwt(await readKey(keyFile)),
    // Loopback has no TLS here.
    { algorithm: 'oauth2', execute: [oauth.allowInsecureRequests] },
  )
  // Tokens are bound to a key that is made here and leaves this process never.
  const DPoP = oauth.getDPoPHandle(configuration, await oauth.randomDPoPKeyPair('ES256'))
  return {
    exchange: async (subject, leg) => {
      const parameters = exchangeParameters(subject, leg)
      const answer = await oauth
        .genericGrantRequest(configuration, EXCHANGE, parameters, { DPoP })
        .catch((error: unknown) => {
          throw refusalByServer(error, id)
        })
      return answer.access_token
    },
    show: async (token, { at }, work) => {
      const headers = new Headers({ 'content-type': 'application/json' })
      const body = JSON.stringify(work)
      const response = await oauth
        .fetchProtectedResource(configuration, token, new URL(at.url), 'POST', body, headers, {
          DPoP,
        })
        .catch((error: unknown) => {
          if (error instanceof oauth.WWWAuthenticateChallengeError) return error.response
          throw error
        })
      const answer: unknown = await response.json()
      if (response.ok) return answer as Account
      throw refusal(answer, { asked: id, by: at.name })
    },
  }
}

function readKey(file: string): Promise<CryptoKey> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  return readFile(file, 'utf8').then((text) =>
    crypto.subtle.importKey('jwk', JSON.parse(text) as JsonWebKey, algorithm, false, ['sign']),
  )
}

function exchangeParameters(subject: SubjectToken, leg: Leg): Record<string, string> {
  return {
    subject_token: subject.text,
    subject_token_type: `urn:ietf:params:oauth:token-type:${subject.type}`,
    ...(leg.target !== undefined && { audience: leg.target }),
    ...(leg.scope !== undefined && { scope: leg.scope }),
    ...(leg.taskType !== undefined && { task_type: leg.taskType }),
  }
}

function refusalByServer(error: unknown, asked: string): unknown {
  // RFC 6749 §5.2: anything else is a fault, not an answer.
  if (!(error instanceof oauth.ResponseBodyError)) return error
  return refusal(error.cause, { asked, by: 'actchain' })
}

function refusal(body: unknown, who: Pick<RefusedOutcome, 'asked' | 'by'>): Refused {
  const { error, reason, error_description } = body as Readonly<Record<string, unknown>>
  return new Refused({
    kind: 'refused',
    ...who,
    error: textOf(error),
    reason: textOf(reason),
    text: textOf(error_description),
  })
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
