/**
 * The resource server as a client of its issuer: it signs in by private_key_jwt (RFC 7523) for a token of the management plane,
 * bound by DPoP (RFC 9449) to a key of this process, and posts with it.
 */
import { encodeBase64url } from '../base64url.ts'
import type { Fetch } from '../fetch-bytes.ts'
import { sha256 } from '../public-key.ts'
import type { JsonObject } from '../strict-json.ts'
import { type Posted, post } from './post.ts'
import { openSigner, type Signer, type SigningKey } from './signing-key.ts'

/** Seconds. */
const ASSERTION_LIFETIME = 60
/** Seconds before its end a token is renewed. */
const RENEWAL = 30
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export interface IssuerClientDeps {
  readonly issuer: string
  readonly clientId: string
  readonly key: SigningKey
  readonly fetch: Fetch
  /** Seconds since the epoch. */
  readonly now: () => number
  readonly signal: AbortSignal
}

interface Keys {
  readonly own: Signer
  readonly proof: Signer
  /** Public half of the proofs' key. */
  readonly jwk: JsonWebKey
}

interface Token {
  readonly text: string
  /** Base64url of its SHA-256. */
  readonly hash: string
  readonly renewAt: number
}

interface Request {
  readonly url: string
  readonly type: string
  /** Made anew for each try: an assertion is good once. */
  readonly body: () => Promise<string>
  readonly token?: Token
}

export class IssuerClient {
  readonly #deps: IssuerClientDeps
  #keys: Promise<Keys> | undefined
  #token: Token | undefined
  /** The newest of each address (RFC 9449 §8.2). */
  readonly #nonces = new Map<string, string>()

  constructor(deps: IssuerClientDeps) {
    this.#deps = deps
  }

  /** Posts `content` as JSON. Throws an Error in plain words where there is no answer, or no token. */
  async post(path: string, content: object): Promise<Posted> {
    const text = JSON.stringify(content)
    const wasHeld = this.#token !== undefined
    const send = async (): Promise<Posted> =>
      this.#prove({
        url: `${this.#deps.issuer}${path}`,
        type: 'application/json',
        body: async () => text,
        token: await this.#findToken(),
      })
    const posted = await send()
    if (posted.status !== 401) return posted
    // Not good any more, whatever its time says: its issuer may have changed its keys.
    this.#token = undefined
    return wasHeld ? send() : posted
  }

  async #findToken(): Promise<Token> {
    if (this.#token !== undefined && this.#deps.now() < this.#token.renewAt) return this.#token
    const { issuer } = this.#deps
    const { status, body } = await this.#prove({
      url: `${issuer}/token`,
      type: 'application/x-www-form-urlencoded',
      body: async () =>
        new URLSearchParams({
          grant_type: 'client_credentials',
          resource: `${issuer}/manage`,
          client_assertion_type: ASSERTION_TYPE,
          client_assertion: await this.#assertion(),
        }).toString(),
    })
    const { access_token: text, token_type: type, expires_in: seconds } = body ?? {}
    const isBound = typeof type === 'string' && type.toLowerCase() === 'dpop'
    if (status !== 200 || typeof text !== 'string' || typeof seconds !== 'number' || !isBound)
      throw new Error(`sign-in: ${reasonOf(status, body)}`)
    const renewAt = this.#deps.now() + Math.max(0, seconds - RENEWAL)
    this.#token = { text, hash: await sha256(text), renewAt }
    return this.#token
  }

  /** Once more where the issuer wants a nonce in the proof (RFC 9449 §8, §9). */
  async #prove(request: Request): Promise<Posted> {
    const before = this.#nonces.get(request.url)
    const posted = await this.#send(request)
    const challenge = posted.headers.get('www-authenticate') ?? ''
    const wantsNonce =
      posted.body?.['error'] === 'use_dpop_nonce' || challenge.includes('"use_dpop_nonce"')
    return wantsNonce && this.#nonces.get(request.url) !== before ? this.#send(request) : posted
  }

  async #send({ url, type, body, token }: Request): Promise<Posted> {
    const { fetch, signal } = this.#deps
    const proof = await this.#proof(url, token)
    const posted = await post(url, fetch, {
      headers: {
        'content-type': type,
        dpop: proof,
        ...(token === undefined ? {} : { authorization: `DPoP ${token.text}` }),
      },
      body: await body(),
      signal,
    })
    const nonce = posted.headers.get('dpop-nonce')
    if (nonce !== null) this.#nonces.set(url, nonce)
    return posted
  }

  async #proof(url: string, token: Token | undefined): Promise<string> {
    const { proof, jwk } = await this.#openKeys()
    const nonce = this.#nonces.get(url)
    return proof.sign(
      { typ: 'dpop+jwt', jwk },
      {
        jti: randomText(),
        htm: 'POST',
        htu: url,
        iat: Math.floor(this.#deps.now()),
        ...(token === undefined ? {} : { ath: token.hash }),
        ...(nonce === undefined ? {} : { nonce }),
      },
    )
  }

  async #assertion(): Promise<string> {
    const { issuer, clientId, key } = this.#deps
    const { own } = await this.#openKeys()
    const iat = Math.floor(this.#deps.now())
    const kid = 'kid' in key && typeof key.kid === 'string' ? { kid: key.kid } : {}
    return own.sign(
      { typ: 'client-authentication+jwt', ...kid },
      {
        iss: clientId,
        sub: clientId,
        aud: issuer,
        jti: randomText(),
        iat,
        exp: iat + ASSERTION_LIFETIME,
      },
    )
  }

  /** Not before they are needed: workers have no cryptography outside a request. */
  #openKeys(): Promise<Keys> {
    this.#keys ??= openKeys(this.#deps.key).catch((error: unknown) => {
      this.#keys = undefined
      throw error
    })
    return this.#keys
  }
}

async function openKeys(key: SigningKey): Promise<Keys> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const [own, pair] = await Promise.all([
    openSigner(key),
    crypto.subtle.generateKey(algorithm, false, ['sign', 'verify']),
  ])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  return { own, proof: await openSigner(pair.privateKey), jwk: { kty, crv, x, y } as JsonWebKey }
}

function randomText(): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(16)))
}

/** Status and the issuer's own word for it; nothing else of an answer is repeated. */
export function reasonOf(status: number, body: JsonObject | undefined): string {
  const reason = body?.['reason'] ?? body?.['error']
  const isWord = typeof reason === 'string' && /^[a-z_]{1,64}$/.test(reason)
  return isWord ? `status ${status} ${reason}` : `status ${status}`
}
