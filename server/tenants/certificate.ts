/**
 * A certificate as an identity team writes it: one PEM block (RFC 7468 §5), of a key that is strong enough. Whom it is believed for is
 * judged where it is used; its dates only warn, so that no version is good today and bad tomorrow.
 */
import { X509Certificate } from 'node:crypto'

export type CertificateResult =
  | { readonly kind: 'certificate'; readonly der: string }
  | { readonly kind: 'refused'; readonly text: string }

/** RFC 7468 §2: nothing before, after or between; a second certificate would be overlooked. */
const PEM =
  /^-----BEGIN CERTIFICATE-----\r?\n(?:[A-Za-z0-9+/=]{1,76}\r?\n)+-----END CERTIFICATE-----\s*$/
const LONGEST = 16_384
const LEAST_RSA_BITS = 2048
const CURVES: ReadonlySet<unknown> = new Set(['prime256v1', 'secp384r1', 'secp521r1'])

/** The certificate's DER as base64, or a sentence that says what is wrong. Nothing of the text is repeated: it may be a key. */
export function parseCertificate(text: string): CertificateResult {
  if (text.includes('PRIVATE KEY')) {
    const told = 'private key: only certificates belong here; treat this one as disclosed'
    return { kind: 'refused', text: told }
  }
  if (text.length > LONGEST || !PEM.test(text)) {
    return { kind: 'refused', text: 'expected one certificate in PEM' }
  }
  const certificate = readCertificate(text)
  if (certificate === undefined) return { kind: 'refused', text: 'not a valid certificate' }
  if (!hasStrongKey(certificate)) {
    const least = `an RSA key of ${LEAST_RSA_BITS} bits or more, Ed25519, P-256, P-384 or P-521`
    return { kind: 'refused', text: `a certificate has ${least}` }
  }
  return { kind: 'certificate', der: certificate.raw.toString('base64') }
}

/** Of a certificate that has been parsed before. */
export function describeCertificate(der: string): {
  readonly isAuthority: boolean
  /** Seconds since the epoch. */
  readonly endsAt: number
} {
  const { ca, validTo } = new X509Certificate(Buffer.from(der, 'base64'))
  return { isAuthority: ca, endsAt: Math.floor(Date.parse(validTo) / 1000) }
}

function readCertificate(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text)
  } catch {
    return undefined
  }
}

function hasStrongKey(certificate: X509Certificate): boolean {
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey
    if (type === 'rsa') return (details?.modulusLength ?? 0) >= LEAST_RSA_BITS
    if (type === 'ec') return CURVES.has(details?.namedCurve)
    return type === 'ed25519'
  } catch {
    return false
  }
}
