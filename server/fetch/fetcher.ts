/**
 * The one way out to the network: JSON over https from public addresses. No redirects, two seconds in all,
 * 256 KB at most, and one opaque fault for whatever goes wrong (attack cases K01, K02).
 */
import { lookup as resolveName } from 'node:dns/promises'
import { Agent, buildConnector } from 'undici'
import { type Destination, findDestination, type Lookup, parseUrl } from './destination.ts'
import { FetchFault } from './fetch-fault.ts'

export type FetchJson = (url: string) => Promise<unknown>

export interface FetcherDeps {
  /** Plain-http origins on loopback that are let through. Development only. */
  readonly loopbackOrigins?: ReadonlySet<string>
  readonly lookup?: Lookup
  /** Opens the connection; is given the checked address as `hostname`, the URL's name as `servername`. */
  readonly connect?: buildConnector.connector
  /** Aborts a fetch that takes too long; a new signal for each. */
  readonly deadline?: () => AbortSignal
}

const DEADLINE_MS = 2000
const LARGEST_BODY = 256 * 1024
const LARGEST_HEAD = 16 * 1024

/** Returns `fetchJson(url)`: the parsed body, not yet believed in any way. It throws FetchFault only. */
export function createFetcher(deps: FetcherDeps): FetchJson {
  const loopbackOrigins = deps.loopbackOrigins ?? new Set<string>()
  const lookup = deps.lookup ?? lookupAll
  const connect = deps.connect ?? buildConnector({ allowH2: false, timeout: DEADLINE_MS })
  const deadline = deps.deadline ?? (() => AbortSignal.timeout(DEADLINE_MS))
  return async (text) => {
    const url = parseUrl(text, loopbackOrigins)
    const signal = deadline()
    try {
      const work = findDestination(url, lookup, loopbackOrigins).then(async (destination) =>
        readJson(destination, connect, signal),
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

async function readJson(
  { url, address }: Destination,
  connect: buildConnector.connector,
  signal: AbortSignal,
): Promise<unknown> {
  if (signal.aborted) throw new FetchFault('timeout')
  // One agent for one request: no connection to a checked address is ever used for another name.
  const agent = new Agent({
    connect: (options, callback) => connect(pinned(options, address), callback),
    maxHeaderSize: LARGEST_HEAD,
  })
  try {
    const { statusCode, headers, body } = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'GET',
      headers: { accept: 'application/json', 'accept-encoding': 'identity' },
      signal,
    })
    // A redirect is a status like any other: following it would leave the checked address.
    if (statusCode !== 200) throw new FetchFault('status_refused')
    if (!isJson(headers['content-type']) || headers['content-encoding'] !== undefined) {
      throw new FetchFault('not_json')
    }
    return parseJson(await readBody(body))
  } finally {
    await agent.destroy()
  }
}

// undici leaves the URL's name in `host`, from which it takes the TLS server name: the certificate must be
// the name's, whatever address is dialled.
function pinned(options: buildConnector.Options, address: string): buildConnector.Options {
  return { ...options, hostname: address }
}

function isJson(contentType: string | string[] | undefined): boolean {
  if (typeof contentType !== 'string') return false
  return /^application\/(?:[a-z0-9.+-]+\+)?json(?:\s*;|\s*$)/i.test(contentType)
}

async function readBody(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    // Counted while it streams: a length header is the other side's word.
    if (size > LARGEST_BODY) throw new FetchFault('too_large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new FetchFault('not_json')
  }
}
