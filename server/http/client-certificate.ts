/**
 * The certificate a request's client proved: to us in the handshake, or to a listed proxy, which then says so in the headers of
 * RFC 9440 over its own mutual TLS. From anybody else such headers are an attacker's text and go no further than here
 * (attack case E08, RFC 9700 §4.13). What a certificate says is believed nowhere in this file.
 */
import { createHash, X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { exactAddress } from '../core/peer-address.ts'
import type { PresentedCertificate } from '../core/presented-certificate.ts'
import { type Refusal, refuse } from '../core/refusal.ts'

export interface ClientCertificates {
  /** Before anybody else sees a request: no header that tells of a certificate is left in it, whoever sent it. */
  readonly receive: (req: IncomingMessage) => void
  /** Of a request that was received; a refusal where a proxy's header is no certificate. */
  readonly certificateOf: (req: IncomingMessage) => PresentedCertificate | Refusal | undefined
}

/** Certificates of a chain that are kept; more is no chain anybody has. */
const MAX_CHAIN = 8
/** Characters of one header line: a certificate of 6 KB, above any in use. */
const MAX_LINE = 8192

const LEAF = 'client-cert'
const CHAIN = 'client-cert-chain'
/** In the spelling of Node's headers. Those besides RFC 9440 are other products' and nobody's here. */
const HEADERS: ReadonlySet<string> = new Set([
  LEAF,
  CHAIN,
  'x-forwarded-client-cert',
  'x-forwarded-client-cert-chain',
  'x-forwarded-tls-client-cert',
  'x-forwarded-tls-client-cert-info',
  'x-ssl-client-cert',
  'x-ssl-client-cert-chain',
  'x-ssl-client-verify',
  'x-ssl-cert',
  'x-client-cert',
  'x-client-certificate',
  'x-arr-clientcert',
  'x-amzn-mtls-clientcert',
  'x-amzn-mtls-clientcert-leaf',
  'ssl-client-cert',
  'ssl-client-verify',
  'ssl-cert',
])

/** Values of the two headers of RFC 9440, a line each. */
interface Forwarded {
  readonly leaf: readonly string[]
  readonly chain: readonly string[]
}

/** @param proxies addresses whose own certificate counts where the listener's authorities signed it; none: no header does */
export function createClientCertificates(proxies: Iterable<string>): ClientCertificates {
  const listed = new Set([...proxies].map((address) => exactAddress(address)))
  // Whoever is at the other end stays there for as long as the connection does.
  const peers = new WeakMap<object, Peer>()
  const forwarded = new WeakMap<IncomingMessage, Forwarded>()

  function peerOf({ socket }: IncomingMessage): Peer {
    const known = peers.get(socket)
    if (known !== undefined) return known
    const peer = readPeer(socket, listed)
    peers.set(socket, peer)
    return peer
  }

  return {
    receive(req) {
      const lines = removeLines(req)
      if (peerOf(req).isProxy) forwarded.set(req, lines)
    },
    certificateOf(req) {
      const peer = peerOf(req)
      if (!peer.isProxy) return peer.certificate
      const lines = forwarded.get(req)
      return lines === undefined ? undefined : readForwarded(lines)
    },
  }
}

interface Peer {
  readonly isProxy: boolean
  /** The client's, where the peer is one. */
  readonly certificate: PresentedCertificate | undefined
}

function readPeer(socket: IncomingMessage['socket'], listed: ReadonlySet<string>): Peer {
  if (!(socket instanceof TLSSocket)) return { isProxy: false, certificate: undefined }
  const own = socket.getPeerX509Certificate()
  const certificate = own === undefined ? undefined : presented(own.raw, readChain(own))
  const isSigned = socket.authorized && certificate !== undefined
  const isListed = listed.has(exactAddress(socket.remoteAddress))
  // A proxy at an address nobody listed, or whose certificate ran out, is no client: two clients behind it would be one.
  return {
    isProxy: isSigned && isListed,
    certificate: isSigned || isListed ? undefined : certificate,
  }
}

function readChain(own: X509Certificate): readonly Uint8Array[] {
  const chain: Uint8Array[] = []
  for (let next = own.issuerCertificate; next !== undefined; next = next.issuerCertificate) {
    // Attacker-chosen: what it has beyond that nobody reads.
    if (chain.length === MAX_CHAIN) break
    chain.push(next.raw)
  }
  return chain
}

function presented(der: Uint8Array, chain: readonly Uint8Array[]): PresentedCertificate {
  return { der, thumbprint: createHash('sha256').update(der).digest('base64url'), chain }
}

/** Takes them out of a request, in every form Node has of its headers. */
function removeLines(req: IncomingMessage): Forwarded {
  const { rawHeaders } = req
  const lines = { leaf: [] as string[], chain: [] as string[] }
  const kept: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = [rawHeaders[at], rawHeaders[at + 1]]
    // An underscore is another character, and to many programs the same name.
    const known = name.toLowerCase().replaceAll('_', '-')
    if (!HEADERS.has(known)) kept.push(name, value)
    else if (name.toLowerCase() === LEAF) lines.leaf.push(value)
    else if (name.toLowerCase() === CHAIN) lines.chain.push(value)
  }
  if (kept.length === rawHeaders.length) return lines
  // Node makes both of these from the raw lines when they are first read, by the number of lines there were.
  for (const headers of [req.headers, req.headersDistinct]) {
    for (const name of Object.keys(headers)) {
      if (HEADERS.has(name.replaceAll('_', '-'))) delete headers[name]
    }
  }
  rawHeaders.splice(0, rawHeaders.length, ...kept)
  return lines
}

function readForwarded({ leaf, chain }: Forwarded): PresentedCertificate | Refusal | undefined {
  // The proxy's client came without one.
  if (leaf.length === 0 && chain.length === 0) return undefined
  const [line, ...others] = leaf
  // RFC 9440 §2.2: one line. §2.3: no chain without it.
  if (line === undefined || others.length > 0) return malformed()
  const own = readCertificate(line)
  const rest = chain.flatMap((one) => (one.length > MAX_LINE ? [''] : one.split(',')))
  if (own === undefined || rest.length > MAX_CHAIN) return malformed()
  const beside: Uint8Array[] = []
  for (const member of rest) {
    // RFC 8941 §3.1: members of a list have optional white space around them.
    const certificate = readCertificate(member.replace(/^[ \t]+|[ \t]+$/g, ''))
    if (certificate === undefined) return malformed()
    beside.push(certificate)
  }
  return presented(own, beside)
}

/** RFC 8941 §3.3.5: a byte sequence, base64 between colons; only the canonical form of it. */
const BYTE_SEQUENCE = /^:([A-Za-z0-9+/]+={0,2}):$/

/** RFC 9440 §2.1: the DER of one certificate, without a byte more; undefined for anything else. */
function readCertificate(item: string): Uint8Array | undefined {
  const text = item.length > MAX_LINE ? undefined : BYTE_SEQUENCE.exec(item)?.[1]
  if (text === undefined) return undefined
  const der = Buffer.from(text, 'base64')
  if (der.toString('base64') !== text) return undefined
  try {
    // Node would read PEM here too, and DER with something after it.
    return new X509Certificate(der).raw.equals(der) ? der : undefined
  } catch {
    return undefined
  }
}

function malformed(): Refusal {
  return refuse('request_malformed', 'client_certificate_header')
}
