/**
 * An issuer that takes records, on a real socket, with real signatures: it believes no assertion, proof or token it did not
 * check. Written apart from the server's own code on purpose.
 */
import { createHash, createPublicKey, randomUUID, verify } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { WaitingRecord } from '../../lib/src/records/records.ts'
import { headerOf, payloadOf } from '../support/signing.ts'

export const CLIENT = 'ledger-api'

interface Problem {
  readonly status: number
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
}

interface Taken {
  readonly accepted: readonly string[]
  readonly refused: readonly { readonly id: string; readonly reason: unknown }[]
}

export class RecordsIssuer {
  /** Bodies of good requests, in order, each as its records. */
  readonly batches: (readonly WaitingRecord[])[] = []
  /** Good sign-ins. */
  readonly assertions: ReturnType<typeof payloadOf>[] = []
  /** What was wrong with a request. A test expects none. */
  readonly faults: string[] = []
  readonly paths: string[] = []
  /** Said instead of `accepted`, by the id of a record. */
  readonly refusals = new Map<string, unknown>()
  /** Takes no batch that is larger, or has such a record. */
  mostRecords = 100
  untakenTool: string | undefined
  /** The nonce every proof needs; undefined: none. */
  nonce: string | undefined
  lifetime = 300
  /** In place of the answer to records, as long as it is there. */
  answer: Problem | undefined
  /** Awaited before anything is answered. */
  hold: Promise<void> | undefined
  /** Answers are lost on their way: what was taken is taken. */
  losesAnswers = false
  readonly #publicJwk: object
  readonly #tokens = new Map<string, { readonly jkt: string }>()
  readonly #used = new Set<string>()
  readonly #server = createServer((request, response) => {
    this.#respond(request, response).catch((fault: unknown) => {
      this.faults.push(String(fault))
      response.destroy()
    })
  })
  #port = 0

  constructor(publicJwk: object) {
    this.#publicJwk = publicJwk
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.#port}/t/acme`
  }

  /** All records that were taken, sent again or not. */
  get records(): readonly WaitingRecord[] {
    return this.batches.flat()
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Nobody is answered any more, until `open`. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  /** Every token of before is none. */
  forgetTokens(): void {
    this.#tokens.clear()
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request)
    const path = request.url ?? ''
    this.paths.push(path)
    await this.hold
    const outcome = this.#judge(request, path, body)
    if (this.losesAnswers) return void response.destroy()
    const nonce = this.nonce === undefined ? {} : { 'dpop-nonce': this.nonce }
    response.writeHead(outcome.status, {
      'content-type': 'application/json',
      ...nonce,
      ...outcome.headers,
    })
    response.end(JSON.stringify(outcome.body))
  }

  #judge({ headers }: IncomingMessage, path: string, body: string): Problem {
    const [, token] = /^DPoP (\S+)$/.exec(headers.authorization ?? '') ?? []
    const jkt = this.#checkProof(
      String(headers['dpop']),
      `${new URL(this.issuer).origin}${path}`,
      token,
    )
    if (jkt === undefined) {
      const challenge = 'DPoP algs="ES256", error="use_dpop_nonce"'
      return path.endsWith('/token')
        ? { status: 400, body: { error: 'use_dpop_nonce' } }
        : { status: 401, body: {}, headers: { 'www-authenticate': challenge } }
    }
    if (path === '/t/acme/token') return this.#signIn(body, jkt)
    if (path !== '/t/acme/audit/records') throw new Error(`nothing at ${path}`)
    if (this.#tokens.get(token ?? '')?.jkt !== jkt)
      return { status: 401, body: { reason: 'token_unacceptable' } }
    if (this.answer !== undefined) return this.answer
    const { records } = JSON.parse(body) as { readonly records: readonly WaitingRecord[] }
    if (records.length > this.mostRecords)
      return { status: 413, body: { reason: 'request_too_large' } }
    if (records.some(({ tool }) => tool === this.untakenTool))
      return { status: 400, body: { reason: 'request_malformed' } }
    this.batches.push(records)
    return { status: 200, body: this.#take(records) }
  }

  #take(records: readonly WaitingRecord[]): Taken {
    const refused = records.flatMap(({ id }) =>
      this.refusals.has(id) ? [{ id, reason: this.refusals.get(id) }] : [],
    )
    const accepted = records.map(({ id }) => id).filter((id) => !this.refusals.has(id))
    return { accepted, refused }
  }

  #signIn(body: string, jkt: string): Problem {
    const form = Object.fromEntries(new URLSearchParams(body))
    const assertion = String(form['client_assertion'])
    const claims = payloadOf(assertion)
    const { exp, iat, jti } = claims
    const isGood =
      isSigned(assertion, this.#publicJwk) &&
      claims['iss'] === CLIENT &&
      claims['sub'] === CLIENT &&
      claims['aud'] === this.issuer &&
      exp - iat <= 300 &&
      this.#isFirst(jti)
    const { grant_type: grant, resource } = form
    if (!isGood || grant !== 'client_credentials' || resource !== `${this.issuer}/manage`) {
      return { status: 401, body: { error: 'invalid_client', error_description: assertion } }
    }
    this.assertions.push({ ...claims, ...headerOf(assertion) })
    const token = randomUUID()
    this.#tokens.set(token, { jkt })
    const expires_in = this.lifetime
    return { status: 200, body: { access_token: token, token_type: 'DPoP', expires_in } }
  }

  /** Thumbprint of the key; undefined where the nonce is missing. Throws for any other fault. */
  #checkProof(proof: string, url: string, token: string | undefined): string | undefined {
    const { jwk, typ } = headerOf(proof)
    const { htm, htu, iat, ath, nonce, jti } = payloadOf(proof)
    const hash = token && createHash('sha256').update(token).digest('base64url')
    if (typ !== 'dpop+jwt' || !isSigned(proof, jwk)) throw new Error('the proof is not signed')
    if (htm !== 'POST' || htu !== url || ath !== hash) throw new Error('the proof is another’s')
    if (Math.abs(Date.now() / 1000 - iat) > 60) throw new Error('the proof is old')
    if (Object.keys(jwk).toSorted().join() !== 'crv,kty,x,y') throw new Error('the key is not bare')
    if (!this.#isFirst(jti)) throw new Error('the proof came before')
    if (nonce !== this.nonce) return undefined
    const { crv, kty, x, y } = jwk
    return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
  }

  #isFirst(id: string): boolean {
    const isFirst = id !== '' && !this.#used.has(id)
    this.#used.add(id)
    return isFirst
  }
}

const HASHES: Readonly<Record<string, string | undefined>> = { ES256: 'sha256', RS256: 'sha256' }

function isSigned(token: string, jwk: object): boolean {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const key = createPublicKey({ key: jwk as never, format: 'jwk' })
  return verify(
    HASHES[headerOf(token)['alg']],
    Buffer.from(`${header}.${payload}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
}
