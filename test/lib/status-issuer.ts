/**
 * An issuer that publishes status lists and a feed, on a real socket with real signatures; and tells any lie a test wants. Written
 * apart from the server's own code on purpose.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deflateSync } from 'node:zlib'
import type { VerifierFault } from '../../lib/src/fault.ts'
import type { VerifierOptions } from '../../lib/src/options.ts'
import { type StatusListsOptions, statusLists } from '../../lib/src/status/status-lists.ts'
import { createVerifier, type RouteNeed, type Verifier } from '../../lib/src/verifier.ts'
import {
  API,
  aKey,
  aProof,
  type Claims,
  chainClaims,
  signToken,
  type TestKey,
} from '../support/chain-token.ts'
import { NEED, reasonOf, URL_CALLED } from '../support/verifier-fixture.ts'

const SIZE = 65_536
/** The list all tokens of the support's chains refer to. */
export const LIST = 'g1-7'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

export class StatusIssuer {
  readonly statuses: Uint8Array = new Uint8Array(SIZE / 4)
  readonly requests: { readonly path: string; readonly lastEventId: string | undefined }[] = []
  seq = 7
  changedAt = 0
  /** Seconds its clock is ahead of this machine's. */
  ahead = 0
  /** Replaces the answer at a path. */
  readonly answers = new Map<string, Answer>()
  keys: readonly TestKey[]
  /** Undefined: the names of `keys`. */
  kids: readonly string[] | undefined
  #signer: TestKey
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  readonly #streams = new Set<ServerResponse>()
  #port = 0

  constructor(key: TestKey) {
    this.#signer = key
    this.keys = [key]
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.#port}/t/acme`
  }

  get listUri(): string {
    return `${this.issuer}/status/${LIST}`
  }

  get now(): number {
    return Math.floor(Date.now() / 1000) + this.ahead
  }

  get listeners(): number {
    return this.#streams.size
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
    this.#streams.clear()
    await closed
  }

  count(path: string): number {
    return this.requests.filter((request) => request.path === path).length
  }

  signWith(key: TestKey): void {
    this.#signer = key
  }

  /** In the list, without a word to anyone. */
  write(status: number, ...indexes: readonly number[]): void {
    for (const index of indexes) {
      const shift = (index * 2) & 7
      const kept = (this.statuses[index >> 2] ?? 0) & ~(3 << shift)
      this.statuses[index >> 2] = kept | (status << shift)
    }
    this.changedAt = ++this.seq
  }

  /** In the list, and told to all who listen. */
  async set(status: number, ...indexes: readonly number[]): Promise<void> {
    const since = this.seq
    this.write(status, ...indexes)
    await this.tell({ since })
  }

  list(claims: Claims = {}, header: Claims = {}, key: TestKey = this.#signer): Promise<string> {
    const lst = deflateSync(this.statuses).toString('base64url')
    return signToken(
      key,
      {
        iss: this.issuer,
        sub: this.listUri,
        iat: this.now,
        exp: this.now + 60,
        ttl: 5,
        gen: 'a1',
        seq: this.seq,
        kids: this.kids ?? this.keys.map(({ kid }) => kid),
        status_list: { bits: 2, lst },
        ...claims,
      },
      { typ: 'statuslist+jwt', ...header },
    )
  }

  message(claims: Claims = {}, header: Claims = {}, key: TestKey = this.#signer): Promise<string> {
    const since = Number(claims['since'] ?? this.seq)
    return signToken(
      key,
      {
        iss: this.issuer,
        iat: this.now,
        gen: 'a1',
        seq: this.seq,
        since,
        lists: this.changedAt > since ? { [this.listUri]: this.changedAt } : {},
        kids: this.kids ?? this.keys.map(({ kid }) => kid),
        ...claims,
      },
      { typ: 'statusfeed+jwt', ...header },
    )
  }

  /** A message to all who listen; by default a heartbeat. */
  async tell(claims: Claims = {}): Promise<void> {
    this.send(`id: ${this.seq}\nevent: status\ndata: ${await this.message(claims)}\n\n`)
  }

  send(text: string): void {
    for (const stream of this.#streams) stream.write(text)
  }

  cutStreams(): void {
    for (const stream of this.#streams) stream.destroy()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? ''
    const lastEventId = request.headers['last-event-id']
    this.requests.push({ path, lastEventId: lastEventId?.toString() })
    const answer = this.answers.get(path)
    if (answer !== undefined) return answer(request, response)
    if (path === '/t/acme/events') return this.#stream(response, Number(lastEventId ?? 0))
    if (path === `/t/acme/status/${LIST}`) {
      response.setHeader('content-type', 'application/statuslist+jwt')
      response.end(await this.list())
    } else if (path === '/t/acme/jwks') {
      response.end(JSON.stringify({ keys: this.keys.map(({ publicJwk }) => publicJwk) }))
    } else {
      response.writeHead(404).end()
    }
  }

  async #stream(response: ServerResponse, since: number): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const first = await this.message({ since })
    response.write(`id: ${this.seq}\nevent: status\ndata: ${first}\n\n`)
    this.#streams.add(response)
    response.on('close', () => this.#streams.delete(response))
  }
}

export interface StatusFixture {
  readonly issuer: StatusIssuer
  readonly issuerKey: TestKey
  readonly agentKey: TestKey
  readonly faults: VerifierFault[]
  /** Seconds that seem to have passed for the verifiers, besides those that did. */
  ahead: number
  /** Seconds their clock was set forward, with no time passing. */
  stepped: number
  verifier(lists?: StatusListsOptions, options?: Partial<VerifierOptions>): Verifier
  claims(shape?: Parameters<typeof chainClaims>[0]): Claims
  token(claims?: Claims, key?: TestKey): Promise<string>
  /** The reason, or `accepted`. */
  outcome(verifier: Verifier, token: string, need?: RouteNeed): Promise<string>
  /** Verifies until it comes out so; throws with what it was after ten seconds. */
  until(verifier: Verifier, token: string, outcome: string): Promise<void>
  kindsOfFaults(): readonly string[]
  close(): Promise<void>
}

export async function aStatusFixture(): Promise<StatusFixture> {
  const [issuerKey, agentKey] = await Promise.all([aKey('ES256', 'k1'), aKey('ES256', 'agent')])
  const issuer = new StatusIssuer(issuerKey)
  await issuer.open()
  const opened: Verifier[] = []
  const now = (): number => Date.now() / 1000 + fixture.ahead + fixture.stepped
  const tick = performance.now.bind(performance)
  performance.now = () => tick() + fixture.ahead * 1000
  const fixture: StatusFixture = {
    issuer,
    issuerKey,
    agentKey,
    faults: [],
    ahead: 0,
    stepped: 0,
    verifier: (lists, options = {}) => {
      const verifier = createVerifier({
        issuer: issuer.issuer,
        audience: API,
        revocation: statusLists(lists),
        ...('jwksUri' in options ? {} : { jwks: { keys: [issuerKey.publicJwk] } }),
        allowInsecureLoopback: true,
        now,
        onFault: (fault) => fixture.faults.push(fault),
        ...options,
      })
      opened.push(verifier)
      return verifier
    },
    claims: (shape = {}) =>
      chainClaims({
        issuer: issuer.issuer,
        now: Math.floor(now()),
        cnf: { jkt: agentKey.thumbprint },
        ...shape,
      }),
    token: (claims = fixture.claims(), key = issuerKey) => signToken(key, claims),
    outcome: async (verifier, token, need = NEED) => {
      const proof = await aProof(agentKey, { token, claims: { iat: Math.floor(now()) } })
      const presented = { token, proof, method: 'GET', url: URL_CALLED, scheme: 'DPoP' } as const
      return reasonOf(verifier.verify(presented, need))
    },
    until: async (verifier, token, outcome) => {
      let seen = ''
      await poll(
        async () => (seen = await fixture.outcome(verifier, token)) === outcome,
        () => `still ${seen}`,
      )
    },
    kindsOfFaults: () => [...new Set(fixture.faults.map(({ kind }) => kind))].toSorted(),
    close: async () => {
      for (const verifier of opened) verifier.close()
      performance.now = tick
      await issuer.close()
    },
  }
  return fixture
}

/** Looks again and again, for ten seconds. */
export async function poll(
  look: () => boolean | Promise<boolean>,
  words: () => string = () => 'not yet',
): Promise<void> {
  const end = Date.now() + 10_000
  while (!(await look())) {
    if (Date.now() > end) throw new Error(words())
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
