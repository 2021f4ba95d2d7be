/**
 * The operator's way in at the admin API: client credentials by its own key (RFC 6749 §4.4, RFC 7523 §2.2), for a token bound
 * to a key made for this one command (RFC 9449). Neither the token nor a key is ever printed or kept.
 */
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto'
import { type DevelopmentKey, findDevelopmentKey } from '../development-keys.ts'
import { answerOf, type JsonAnswer, problemSentence } from './admin-answer.ts'
import { Failure } from './failure.ts'
import { signJwt } from './sign-jwt.ts'

/** Seconds. */
const ASSERTION_LIFETIME = 60
const OPERATOR = 'operator'

export interface AdminToken {
  readonly token: string
  /** A fresh proof for one request; `url` without query. */
  readonly proof: (method: string, url: string) => string
}

/** What the token is to be good for, where that is not the admin API itself (RFC 8707 §2). */
export interface Resource {
  readonly uri: string
  /** Said where the server has no such resource. */
  readonly unknown: Failure
}

/** Throws a `Failure` that says what to do. */
export async function signInOperator(
  admin: string,
  keyFile: string,
  resource?: Resource,
): Promise<AdminToken> {
  const key = await operatorKey(keyFile)
  const prove = createProver()
  const url = `${admin}/token`
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion(key, admin),
    ...(resource !== undefined && { resource: resource.uri }),
  })
  const headers = { dpop: prove('POST', url) }
  const answer = await answerOf(url, { method: 'POST', body: form, headers })
  const token = readToken(answer)
  if (token === undefined) {
    // RFC 8707 §2.
    if (resource !== undefined && answer.body?.['error'] === 'invalid_target')
      throw resource.unknown
    const why = problemSentence(answer)
    throw new Failure(`The server did not let the operator in; check --operator-key. ${why}`)
  }
  return { token, proof: (method, target) => prove(method, target, token) }
}

async function operatorKey(file: string): Promise<DevelopmentKey> {
  const key = await findDevelopmentKey(file).catch(() => {
    throw new Failure(`${file} is not a private ES256 key that is closed to others (chmod 600).`)
  })
  if (key) return key
  const cure = 'the first start of the server writes one into its data folder'
  throw new Failure(`There is no operator key at ${file}; ${cure}. Name it with --operator-key.`)
}

function assertion(key: DevelopmentKey, audience: string): string {
  const now = Math.floor(Date.now() / 1000)
  return signJwt(
    key,
    { typ: 'client-authentication+jwt', kid: key.kid },
    {
      iss: OPERATOR,
      sub: OPERATOR,
      aud: audience,
      jti: randomUUID(),
      iat: now,
      exp: now + ASSERTION_LIFETIME,
    },
  )
}

/** Proofs by one key that nobody else has (RFC 9449 §4.2); with a token its hash too (§4.3). */
export function createProver(): (htm: string, htu: string, token?: string) => string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' })
  const key = { kty: 'EC', crv: 'P-256', x, y, d, alg: 'ES256' } as const
  return (htm, htu, token) =>
    signJwt(
      key,
      { typ: 'dpop+jwt', jwk: { kty: 'EC', crv: 'P-256', x, y } },
      {
        jti: randomUUID(),
        htm,
        htu,
        iat: Math.floor(Date.now() / 1000),
        ...(token !== undefined && {
          ath: createHash('sha256').update(token).digest('base64url'),
        }),
      },
    )
}

/** Undefined where an answer has no token bound to our key. */
export function readToken({ status, body }: JsonAnswer): string | undefined {
  if (status !== 200) return undefined
  const { access_token: token, token_type: type } = body ?? {}
  // RFC 9449 §5: a token that is not bound to our key is not one to use.
  return typeof token === 'string' && type === 'DPoP' ? token : undefined
}
