/**
 * Signs a sample user in at the development identity provider as a browser would: authorization code with PKCE
 * (RFC 6749 §4.1, RFC 7636), cookies, redirects, and the form of its sign-in page.
 */
import { createHash, randomBytes } from 'node:crypto'
import { readCompactJws } from '../../lib/src/compact-jws.ts'
import { isJsonObject, type JsonObject } from '../../lib/src/strict-json.ts'
import { Failure } from './failure.ts'

export interface SignIn {
  /** Issuer of the identity provider. */
  readonly idp: string
  readonly user: string
  /** Client id the ID token is for. */
  readonly client: string
}

export interface UserToken {
  readonly id_token: string
  /** Seconds. */
  readonly expires_in: number
}

/** Nothing listens there: the redirect is read, not followed (RFC 8252 §7.3). */
const REDIRECT_URI = 'http://127.0.0.1:1/callback'
const MOST_REDIRECTS = 8
const PATIENCE_MS = 10_000

/** A fresh ID token of this user for this client. Throws a `Failure` that says what to do. */
export async function signIn({ idp, user, client }: SignIn): Promise<UserToken> {
  if (URL.parse(idp)?.origin !== idp) {
    throw new Failure('--idp must be an origin, such as http://127.0.0.1:8462.', 2)
  }
  const browser = new Browser(idp)
  const metadata = await browser.json('/.well-known/openid-configuration')
  if (metadata['issuer'] !== idp)
    throw new Failure(`${idp} calls itself by another name; check --idp.`)
  const verifier = random()
  const state = random()
  const nonce = random()
  const request = new URLSearchParams({
    client_id: client,
    response_type: 'code',
    scope: 'openid',
    redirect_uri: REDIRECT_URI,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    state,
    nonce,
  })
  const start = `${endpoint(metadata, 'authorization_endpoint')}?${request}`
  const code = readCode(await browser.authorize(start, user), idp, state)
  const tokens = await browser.json(
    endpoint(metadata, 'token_endpoint'),
    new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: client,
      code,
      redirect_uri: REDIRECT_URI,
      code_verifier: verifier,
    }),
  )
  return readTokens(tokens, nonce)
}

function readCode(answer: URLSearchParams, idp: string, state: string): string {
  // RFC 9207 §2.4 and RFC 6749 §10.12: an answer of another issuer or to another request is not ours.
  if (answer.get('iss') !== idp || answer.get('state') !== state) {
    throw refused('answered another request')
  }
  const code = answer.get('code')
  if (!code) throw refused(answer.get('error') ?? 'gave no code')
  return code
}

function readTokens(tokens: JsonObject, nonce: string): UserToken {
  const { id_token } = tokens
  const claims = typeof id_token === 'string' ? readCompactJws(id_token)?.payload : undefined
  if (typeof id_token !== 'string' || claims === undefined) throw refused('gave no ID token')
  // OpenID Connect Core §3.1.3.7: the nonce ties the token to this sign-in.
  if (claims['nonce'] !== nonce) throw refused('answered another request')
  return { id_token, expires_in: Number(claims['exp']) - Number(claims['iat']) }
}

/** One browser: its cookies, and one origin it talks to. */
class Browser {
  readonly #idp: string
  readonly #cookies = new Map<string, string>()

  constructor(idp: string) {
    this.#idp = idp
  }

  /** Follows the redirects of an authorization, signing in on the way, up to the client's redirect URI. */
  async authorize(start: string, user: string): Promise<URLSearchParams> {
    let response = await this.#send(start)
    for (let redirects = 0; redirects < MOST_REDIRECTS; redirects++) {
      const location = response.headers.get('location')
      if (location === null) throw refused(await reasonOf(response))
      const target = new URL(location, this.#idp)
      if (target.href.startsWith(`${REDIRECT_URI}?`)) return target.searchParams
      const form = target.pathname.startsWith('/interaction/')
        ? new URLSearchParams({ user })
        : undefined
      response = await this.#send(target.href, form)
    }
    throw refused('redirects without end')
  }

  async json(target: string, form?: URLSearchParams): Promise<JsonObject> {
    const response = await this.#send(new URL(target, this.#idp).href, form)
    if (!response.ok) throw refused(await reasonOf(response))
    const body: unknown = await response.json().catch(() => undefined)
    if (!isJsonObject(body)) throw refused('answered no JSON')
    return body
  }

  async #send(target: string, form?: URLSearchParams): Promise<Response> {
    if (new URL(target).origin !== this.#idp) throw refused('leads to another origin')
    const response = await fetch(target, {
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
      headers: { cookie: [...this.#cookies].map((pair) => pair.join('=')).join('; ') },
      ...(form && { method: 'POST', body: form }),
    }).catch(() => {
      const cure = 'start one with npm start, or name another with --idp.'
      throw new Failure(`No identity provider answers at ${this.#idp}; ${cure}`)
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (cookie.split(';')[0] ?? '').split(/=(.*)/s)
      this.#cookies.set(name, value)
    }
    return response
  }
}

function endpoint(metadata: JsonObject, name: string): string {
  const address = metadata[name]
  if (typeof address !== 'string' || !URL.canParse(address)) throw refused(`names no ${name}`)
  return address
}

/** The provider's own sentence, cut short; it is escaped where it is printed. */
async function reasonOf(response: Response): Promise<string> {
  const text = (await response.text()).trim().split('\n')[0] ?? ''
  return text.slice(0, 200) || `answered ${response.status}`
}

function refused(what: string): Failure {
  return new Failure(`The identity provider refused: ${what}`)
}

function random(): string {
  return randomBytes(32).toString('base64url')
}
