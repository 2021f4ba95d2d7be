/**
 * @actchain/verifier/certificate: the certificate a client proved to hold, for tokens that are bound to one (RFC 8705 §3).
 * From the TLS connection of the request itself, or as a proxy tells it that ends TLS in front of this server (RFC 9440).
 */
import { decodeBase64url } from './base64url.ts'
import { digestOf } from './public-key.ts'
import { headerValues } from './raw-headers.ts'

/**
 * base64url SHA-256 of the certificate (`x5t#S256`), or undefined where the client showed none. Asked only for tokens that are
 * bound to one. `request` is what the server got: node's, or a fetch API `Request`.
 */
export type CertificateOf = (request: object) => Promise<string | undefined>

/** The part of node's TLSSocket that is read. */
interface TlsSocket {
  readonly authorized?: unknown
  getPeerCertificate(detailed: boolean): { readonly raw?: Uint8Array<ArrayBuffer> } | null
}

/**
 * For a node server with `requestCert: true`. Whoever signed the certificate: its holder proved the key in the handshake, and
 * the token names it (RFC 8705 §6.2). A resumed session has the certificate of its first handshake.
 */
export const tlsCertificate: CertificateOf = async (request) => {
  const der = socketOf(request)?.getPeerCertificate(false)?.raw
  return der === undefined ? undefined : digestOf(der)
}

/**
 * For a node server that only its proxies call: true where the certificate of the connection was signed by the server's `ca`. Give
 * it one that signs for proxies alone: without any, node believes every public authority. The certificate is looked at too: Node 20
 * says `authorized` of a resumed session that never had one.
 */
export function hasTrustedCertificate(request: object): boolean {
  const socket = socketOf(request)
  return socket?.authorized === true && socket.getPeerCertificate(false)?.raw !== undefined
}

/**
 * The client's certificate as the proxy's `Client-Cert` header has it, where `isFromProxy` is true of the request. It has to know
 * the proxy by something that no client can send, such as its own certificate: from anyone else the header is nothing
 * (RFC 9440 §4, RFC 8705 §6.5).
 */
export function forwardedCertificate<Req extends object>(
  isFromProxy: (request: Req) => boolean,
): CertificateOf {
  return async (request) => {
    if (isFromProxy(request as Req) !== true) return undefined
    const [value = '', ...more] = clientCertOf(request)
    // RFC 9440 §2.2: one header. A second one was not sent by a proxy that replaces what clients send.
    if (more.length > 0 || value.length > MAX_HEADER_LENGTH) return undefined
    const [, base64 = ''] = BYTE_SEQUENCE.exec(value) ?? []
    const unpadded = base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
    const der = decodeBase64url(unpadded)
    return der === undefined || der.length === 0 ? undefined : digestOf(der)
  }
}

const MAX_HEADER_LENGTH = 16_384
// RFC 8941 §3.3.5, in its canonical spelling, as an item without parameters.
const BYTE_SEQUENCE = /^:((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?):$/

function socketOf(request: object): TlsSocket | undefined {
  const socket: unknown = Reflect.get(request, 'socket')
  const isTls =
    typeof socket === 'object' &&
    socket !== null &&
    typeof Reflect.get(socket, 'getPeerCertificate') === 'function'
  return isTls ? (socket as TlsSocket) : undefined
}

/** Every `Client-Cert` header. Two in a fetch API request come joined by a comma, which no byte sequence has. */
function clientCertOf(request: object): readonly string[] {
  if (request instanceof Request) {
    const value = request.headers.get('client-cert')
    return value === null ? [] : [value]
  }
  const rawHeaders: unknown = Reflect.get(request, 'rawHeaders')
  return Array.isArray(rawHeaders) ? headerValues(rawHeaders, 'client-cert') : []
}
