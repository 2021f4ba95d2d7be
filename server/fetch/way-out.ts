/**
 * The one way out to the network: https to public addresses, no redirects, so many seconds in all, and one opaque fault for
 * whatever goes wrong (attack cases K01, K02). What is asked and what of an answer is read is its callers' business.
 */
import { lookup as resolveName } from 'node:dns/promises'
import { Agent, buildConnector } from 'undici'
import { type Destination, findDestination, type Lookup, parseUrl } from './destination.ts'
import { FetchFault } from './fetch-fault.ts'

export interface WayOutDeps {
  /** Plain-http origins on loopback that are let through. Development only. */
  readonly loopbackOrigins?: ReadonlySet<string>
  /** Origins of the operator's own network: private addresses are let through for them. */
  readonly internalOrigins?: ReadonlySet<string>
  /** PEM: who must have signed the other side's certificate; the system's authorities otherwise. */
  readonly ca?: string
  readonly lookup?: Lookup
  /** Opens the connection; is given the checked address as `hostname`, the URL's name as `servername`. */
  readonly connect?: buildConnector.connector
  /** Aborts what takes too long; a new signal for each. */
  readonly deadline?: () => AbortSignal
}

/** One request over one connection to a checked address. */
export interface Passage {
  readonly agent: Agent
  readonly url: URL
  readonly signal: AbortSignal
}

/** Runs `use` with a connection to the URL's checked address. Rejects with FetchFault only. */
export type WayOut = <Result>(
  url: string,
  use: (passage: Passage) => Promise<Result>,
) => Promise<Result>

const DEADLINE_MS = 2000
const LARGEST_HEAD = 16 * 1024

export function createWayOut(deps: WayOutDeps): WayOut {
  const origins = {
    loopback: deps.loopbackOrigins ?? new Set<string>(),
    internal: deps.internalOrigins ?? new Set<string>(),
  }
  const lookup = deps.lookup ?? lookupAll
  const connect =
    deps.connect ??
    buildConnector({
      allowH2: false,
      timeout: DEADLINE_MS,
      ...(deps.ca !== undefined && { ca: deps.ca }),
    })
  const deadline = deps.deadline ?? (() => AbortSignal.timeout(DEADLINE_MS))
  return async (text, use) => {
    const url = parseUrl(text, origins)
    const signal = deadline()
    try {
      const work = findDestination(url, lookup, origins).then(async (destination) =>
        pass(destination, { connect, signal }, use),
      )
      // Neither a resolver nor a half-open connection can be interrupted; what comes late is not used.
      return await Promise.race([work, rejectAtAbort(signal)])
    } catch (error) {
      if (error instanceof FetchFault) throw error
      // What the socket, TLS or the HTTP parser said stays here: it describes what we reached.
      throw new FetchFault(signal.aborted ? 'timeout' : 'unreachable')
    }
  }
}

async function lookupAll(hostname: string): Promise<readonly string[]> {
  const answers = await resolveName(hostname, { all: true, verbatim: true })
  return answers.map((answer) => answer.address)
}

async function rejectAtAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(new FetchFault('timeout'))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}

async function pass<Result>(
  { url, address }: Destination,
  { connect, signal }: { readonly connect: buildConnector.connector; readonly signal: AbortSignal },
  use: (passage: Passage) => Promise<Result>,
): Promise<Result> {
  if (signal.aborted) throw new FetchFault('timeout')
  // One agent for one request: no connection to a checked address is ever used for another name.
  const agent = new Agent({
    connect: (options, callback) => connect(pinned(options, address), callback),
    maxHeaderSize: LARGEST_HEAD,
  })
  try {
    return await use({ agent, url, signal })
  } finally {
    await agent.destroy()
  }
}

// undici leaves the URL's name in `host`, from which it takes the TLS server name: the certificate must be
// the name's, whatever address is dialled.
function pinned(options: buildConnector.Options, address: string): buildConnector.Options {
  return { ...options, hostname: address }
}

/** All of a body, or `too_large`: counted while it streams, since a length header is the other side's word. */
export async function readBounded(
  body: AsyncIterable<Uint8Array>,
  largest: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > largest) throw new FetchFault('too_large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export function isJson(contentType: string | string[] | undefined): boolean {
  if (typeof contentType !== 'string') return false
  return /^application\/(?:[a-z0-9.+-]+\+)?json(?:\s*;|\s*$)/i.test(contentType)
}

/** Undefined where it is no JSON in UTF-8. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}
