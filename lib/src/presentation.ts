/**
 * How a token came with a request (RFC 6750 §2, RFC 9449 §7.1): one Authorization header, under DPoP or Bearer.
 * Never by query or body.
 */
import type { CertificateOf } from './certificate.ts'
import { VerificationError } from './errors.ts'

export type Scheme = 'DPoP' | 'Bearer'

export interface Presentation {
  readonly token: string
  /** The one DPoP header, as it came. */
  readonly proof?: string | undefined
  readonly method: string
  /** Path and query count; the origin is the configured one. */
  readonly url: string
  /** Absent: not known, so not checked. */
  readonly scheme?: Scheme | undefined
  /** base64url SHA-256 of the client's certificate, from the TLS layer (RFC 8705 §3.1); or how to get it. */
  readonly certificateThumbprint?: ShownCertificate
}

export type ShownCertificate = string | (() => Promise<string | undefined>) | undefined

/** Header fields of a request as they came, repeated ones included. */
export interface RequestFields {
  readonly method: string
  readonly url: string
  readonly authorization: readonly string[]
  readonly proof: readonly string[]
  /** The parsed body holds an `access_token`, as far as the caller can see. */
  readonly tokenInBody?: boolean
  readonly certificateThumbprint: ShownCertificate
}

/** Throws VerificationError where the request has no credentials for us, or more than one set. */
export function readPresentation(fields: RequestFields): Presentation {
  const elsewhere = fields.tokenInBody === true || hasQueryToken(fields.url)
  const header = fields.authorization.join(', ')
  if (header === '') throw new VerificationError('token_missing')
  // A comma is in no token: it joins two headers, or two sets of credentials in one.
  if (elsewhere || header.includes(',')) throw new VerificationError('request_ambiguous')
  const [, name = '', token] = /^(\S+)(?: +([\w.~+/-]+=*))?$/.exec(header) ?? malformed()
  const scheme = SCHEMES.get(name.toLowerCase())
  if (scheme === undefined) throw new VerificationError('token_missing')
  if (token === undefined) malformed()
  const { method, url, certificateThumbprint } = fields
  const [proof, ...more] = fields.proof
  // RFC 9449 §4.3 (1): not more than one.
  if (more.length > 0 || proof?.includes(',') === true)
    throw new VerificationError('proof_malformed')
  return { token, scheme, method, url, certificateThumbprint, proof }
}

const SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  ['dpop', 'DPoP'],
  ['bearer', 'Bearer'],
])

function malformed(): never {
  throw new VerificationError('authorization_malformed')
}

/** RFC 6750 §2.3 is not supported: URLs are logged and passed on. */
function hasQueryToken(url: string): boolean {
  const query = url.indexOf('?')
  return query >= 0 && new URLSearchParams(url.slice(query + 1)).has('access_token')
}

/** The fields of a fetch API request. Its body is not read. */
export function fieldsOf(
  request: Request,
  certificateOf: CertificateOf | undefined,
): RequestFields {
  const list = (name: string): readonly string[] => {
    const value = request.headers.get(name)
    return value === null ? [] : [value]
  }
  const { method, url } = request
  return {
    method,
    url,
    authorization: list('authorization'),
    proof: list('dpop'),
    certificateThumbprint: certificateOf && (() => certificateOf(request)),
  }
}
