/**
 * Where a URL leads, decided before a connection: the URL's shape first, then every address its name resolves to.
 * One bad address among good ones refuses them all, and the connection goes to the checked address, not to the
 * name again: a second answer of the resolver changes nothing (attack case K01).
 */
import { isIP } from 'node:net'
import { FetchFault } from './fetch-fault.ts'
import { isInternalAddress, isLoopbackAddress, isPublicAddress } from './public-address.ts'

/** All addresses of a host name, as the resolver writes them. */
export type Lookup = (hostname: string) => Promise<readonly string[]>

export interface Destination {
  readonly url: URL
  /** The checked address to connect to. */
  readonly address: string
}

/** What the operator says of single origins; everything else is https to public addresses. */
export interface ListedOrigins {
  /** May be plain http, and must then lie on loopback. Development only. */
  readonly loopback: ReadonlySet<string>
  /** May lie in the operator's own network. */
  readonly internal: ReadonlySet<string>
}

const LONGEST_URL = 2048
/** Below are mail, shells and other servers that read HTTP as commands of theirs. */
const LEAST_PORT = 1024

/** Throws FetchFault. */
export function parseUrl(text: string, { loopback }: ListedOrigins): URL {
  if (text.length > LONGEST_URL || !URL.canParse(text)) throw new FetchFault('url_refused')
  // The URL parser writes 0x7f.1, 2130706433 and full-width digits as 127.0.0.1.
  const url = new URL(text)
  const listed = loopback.has(url.origin)
  const isScheme = url.protocol === 'https:' || (url.protocol === 'http:' && listed)
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  const isPort = port === 443 || port >= LEAST_PORT
  if (!isScheme || !isPort || url.username !== '' || url.password !== '') {
    throw new FetchFault('url_refused')
  }
  return url
}

/** Resolves the name once and checks every answer. Throws FetchFault. */
export async function findDestination(
  url: URL,
  lookup: Lookup,
  origins: ListedOrigins,
): Promise<Destination> {
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  const addresses = isIP(hostname) === 0 ? await resolve(hostname, lookup) : [hostname]
  if (!addresses.every(allowedAt(url.origin, origins))) throw new FetchFault('address_refused')
  const [address] = addresses
  if (address === undefined) throw new FetchFault('unreachable')
  return { url, address }
}

function allowedAt(
  origin: string,
  { loopback, internal }: ListedOrigins,
): (address: string) => boolean {
  if (loopback.has(origin)) return isLoopbackAddress
  if (!internal.has(origin)) return isPublicAddress
  return (address) => isInternalAddress(address) || isPublicAddress(address)
}

async function resolve(hostname: string, lookup: Lookup): Promise<readonly string[]> {
  try {
    return await lookup(hostname)
  } catch {
    throw new FetchFault('unreachable')
  }
}
