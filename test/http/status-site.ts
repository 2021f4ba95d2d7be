/**
 * Status lists and the feed on a real socket, over lists that a test states: its own clock, tenants that change as it says,
 * real keys. What is compressed and signed is counted.
 */
import { createServer, type Server } from 'node:http'
import { inflateSync } from 'node:zlib'
import { compactVerify, importJWK } from 'jose'
import { expect } from 'vitest'
import { type Keyring, keyringOf } from '../../keys/keyring.ts'
import { createLocalSigner, generatePrivateJwk } from '../../keys/signer.ts'
import type { Tenant } from '../../server/core/tenant.ts'
import { createFeedStreams } from '../../server/http/feed.ts'
import { createStatus } from '../../server/http/status.ts'
import { compressStatuses, statusSigner } from '../../server/oauth/status-token.ts'
import type { StatusListContent, StatusLists } from '../../server/use-cases/ports.ts'
import { createListPublisher, type ListPublisher } from '../../server/use-cases/publish-list.ts'
import { createStatusFeed, type StatusFeed } from '../../server/use-cases/status-feed.ts'
import type { StatusSigner } from '../../server/use-cases/status-signer.ts'

/** As the server sees 127.0.0.99. */
const PROXY = '192.0.2.99'
export const ISSUER = 'https://as.example/t/acme'

/** The port over what a test states. */
export class StatedLists implements StatusLists {
  readonly generation = '1'
  readonly #lists = new Map<string, StatusListContent>()
  #sequence = 0
  reads = 0

  sequence(): number {
    return this.#sequence
  }

  lists(tenant: string): readonly { readonly id: string; readonly changedAt: number }[] {
    return [...this.#lists]
      .filter(([name]) => name.startsWith(`${tenant} `))
      .map(([name, { changedAt }]) => ({ id: name.split(' ')[1] ?? '', changedAt }))
  }

  read(tenant: string, list: string): StatusListContent | undefined {
    this.reads += 1
    const content = this.#lists.get(`${tenant} ${list}`)
    return content && { ...content, sequence: this.#sequence }
  }

  /** A list with so many indexes, none of them changed yet. */
  begin(list: string, size = 64, tenant = 'acme'): void {
    const statuses = new Uint8Array(0)
    this.#lists.set(`${tenant} ${list}`, { statuses, size, changedAt: 0, sequence: 0 })
  }

  /** One commit. */
  set(list: string, index: number, status: number, tenant = 'acme'): void {
    const { statuses, size } = this.read(tenant, list) ?? { statuses: new Uint8Array(0), size: 64 }
    const changed = new Uint8Array(Math.max(statuses.length, (index >> 2) + 1))
    changed.set(statuses)
    const shift = (index & 3) * 2
    changed[index >> 2] = ((changed[index >> 2] ?? 0) & ~(3 << shift)) | (status << shift)
    this.#sequence += 1
    const sequence = this.#sequence
    this.#lists.set(`${tenant} ${list}`, { statuses: changed, size, changedAt: sequence, sequence })
  }

  drop(list: string, tenant = 'acme'): void {
    this.#lists.delete(`${tenant} ${list}`)
  }
}

export interface StatusSite {
  readonly origin: string
  readonly lists: StatedLists
  readonly publisher: ListPublisher
  readonly feed: StatusFeed
  readonly counted: { compressed: number; signed: number }
  /** How many timers run. */
  timers: number
  connections(): Promise<number>
  /** Seconds; the test moves it. */
  now: number
  readonly tenants: Map<string, Tenant>
  /** What every look at a tenant throws, while it is set. */
  broken: Error | undefined
  /** What a compression waits for, while it is set. */
  compressing: (() => Promise<void>) | undefined
  readonly faults: unknown[]
  readonly full: string[]
  /** A new key signs from now on, and the one before it is gone. */
  killKey(): void
  keyring(): Keyring
  /** Where a tenant is looked at; ends all streams, as a shutdown does. */
  drain(): void
  close(): Promise<void>
}

function newKeyring(): Keyring {
  return keyringOf(createLocalSigner(generatePrivateJwk('ES256'), 'ES256'))
}

export function stateTenant(id = 'acme'): Tenant {
  return { id, issuer: `https://as.example/t/${id}` } as Tenant
}

export async function openStatusSite(): Promise<StatusSite> {
  const lists = new StatedLists()
  const counted = { compressed: 0, signed: 0 }
  const faults: unknown[] = []
  const full: string[] = []
  const tenants = new Map([['acme', stateTenant()]])
  const signers = new WeakMap<Keyring, StatusSigner>()
  let keyring = newKeyring()
  const signerOf = (): StatusSigner => {
    const inner = statusSigner(keyring)
    const known = signers.get(keyring) ?? {
      ...inner,
      sign: (type, claims) => {
        counted.signed += 1
        return inner.sign(type, claims)
      },
    }
    signers.set(keyring, known)
    return known
  }
  const clock = { now: () => site.now }
  const find = (id: string): Tenant | undefined => {
    if (site.broken !== undefined) throw site.broken
    return tenants.get(id)
  }
  const publisher = createListPublisher({
    clock,
    statusLists: lists,
    signerOf,
    compress: async (statuses) => {
      counted.compressed += 1
      await site.compressing?.()
      return compressStatuses(statuses)
    },
  })
  const feed = createStatusFeed({
    clock,
    tenants: { find },
    statusLists: lists,
    signerOf,
    every: (milliseconds, work) => {
      const timer = setInterval(work, milliseconds)
      site.timers += 1
      return () => {
        site.timers -= 1
        clearInterval(timer)
      }
    },
    onFault: (fault) => void faults.push(fault),
  })
  const streams = createFeedStreams({
    feed,
    proxies: [PROXY],
    onFull: (place) => void full.push(place),
  })
  const onFault = (fault: unknown): void => void faults.push(fault)
  const listener = createStatus({ tenantOf: find, lists: publisher, streams, onFault })
  // Loopback speaks for many, so the server is told that its callers come from elsewhere.
  const server = createServer((req, res) => {
    const value = req.socket.remoteAddress?.replace(/^127\.0\.0\./, '192.0.2.')
    Object.defineProperty(req.socket, 'remoteAddress', { value, configurable: true })
    listener(req, res)
  })
  const site: StatusSite = {
    origin: await originOf(server),
    lists,
    publisher,
    feed,
    counted,
    timers: 0,
    connections: () =>
      new Promise((resolve) => void server.getConnections((_, count) => resolve(count))),
    now: 1_800_000_000,
    tenants,
    broken: undefined,
    compressing: undefined,
    faults,
    full,
    killKey: () => {
      keyring = newKeyring()
      tenants.set('acme', stateTenant())
    },
    keyring: () => keyring,
    drain: () => streams.close(),
    close: () => {
      streams.close()
      server.closeAllConnections()
      return new Promise((resolve) => void server.close(() => resolve()))
    },
  }
  return site
}

function originOf(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`)
    })
  })
}

export type Claims = Readonly<Record<string, unknown>>

/** Header and claims, once the signature is verified by the one key of this id. */
export async function openToken(
  token: string,
  keys: readonly Readonly<Record<string, unknown>>[],
): Promise<{ readonly header: Claims; readonly claims: Claims }> {
  const { protectedHeader, payload } = await compactVerify(token, async ({ kid }) => {
    const jwk = keys.find((key) => key['kid'] === kid)
    if (jwk === undefined) throw new Error(`no key ${kid}`)
    return importJWK(jwk as { kty: string }, 'ES256')
  })
  return { header: { ...protectedHeader }, claims: JSON.parse(Buffer.from(payload).toString()) }
}

/** Read by hand, as Token Status List §4.1 says: not with the code that verifiers use. */
export function statusesOf(claims: Claims): {
  readonly size: number
  at(index: number): number
} {
  const { bits, lst } = claims['status_list'] as { readonly bits: number; readonly lst: string }
  const bytes = inflateSync(Buffer.from(lst, 'base64url'))
  const perByte = 8 / bits
  return {
    size: bytes.length * perByte,
    at: (index) =>
      ((bytes[Math.floor(index / perByte)] ?? Number.NaN) >> (bits * (index % perByte))) &
      (2 ** bits - 1),
  }
}

/** The whole of a refusal at a public document. */
export function expectProblem(
  answer: { readonly status: number; readonly body: string; readonly headers: object },
  status: number,
  reason: string,
): void {
  expect(answer.status).toBe(status)
  expect(answer.headers).toMatchObject({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  })
  expect(JSON.parse(answer.body)).toEqual({
    type: 'about:blank',
    status,
    reason,
    detail: expect.any(String),
  })
}
