/**
 * X.509 certificates (RFC 5280 §4), read once into facts of our own. Reading believes nothing: whoever holds one may have written
 * it himself. certificate-path.ts decides who vouches for it.
 */
import 'reflect-metadata'
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  type GeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate as ParsedCertificate,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
} from '@peculiar/x509'
import { type CertificateFrame, readFrame } from './der.ts'

export type KeyUsage = keyof typeof KeyUsageFlags

export interface Certificate extends CertificateFrame {
  readonly der: Uint8Array
  /** RFC 8705 §3.1 `x5t#S256`: SHA-256 of the DER, base64url. */
  readonly thumbprint: string
  /** Hexadecimal, without leading zeros. */
  readonly serial: string
  /** RFC 5280 §4.1.2.4, the most general part first. */
  readonly subjectName: readonly (readonly NameAttribute[])[]
  /** Seconds since the epoch, both inclusive. */
  readonly notBefore: number
  readonly notAfter: number
  /** RFC 5280 §4.2.1.9: where it is a certificate authority. Undefined: it is none. */
  readonly authority: { readonly pathLength: number | undefined } | undefined
  readonly keyUsage:
    | { readonly usages: ReadonlySet<KeyUsage>; readonly critical: boolean }
    | undefined
  /** Object identifiers. */
  readonly extendedKeyUsage: readonly string[] | undefined
  readonly names: CertificateNames
  readonly hasNameConstraints: boolean
  /** Object identifiers of critical extensions this module does not understand. */
  readonly unknownCritical: readonly string[]
  readonly subjectKeyId: string | undefined
  readonly authorityKeyId: string | undefined
  readonly publicKey: KeyObject
  readonly signed: Signed
}

/** A part has several where they stand in one set. */
export interface NameAttribute {
  /** Object identifier. */
  readonly type: string
  /** Undefined where it is something else than text. */
  readonly value: string | undefined
}

/** Subject alternative names by kind (RFC 5280 §4.2.1.6). */
export interface CertificateNames {
  readonly uri: readonly string[]
  readonly dns: readonly string[]
  readonly email: readonly string[]
  /** As text; what is no address of four or sixteen bytes makes the certificate unreadable. */
  readonly ip: readonly string[]
}

/** What was signed, how and with what outcome: a certificate, or a revocation list. */
export interface Signed {
  readonly data: Uint8Array
  /** Object identifier of the algorithm. */
  readonly algorithm: string
  readonly signature: Uint8Array
}

/** A certificate with a few names has one or two kilobytes. */
const MAX_BYTES = 16_384
const NAME_CONSTRAINTS = '2.5.29.30'
/** basicConstraints, keyUsage, extKeyUsage, subjectAltName. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  '2.5.29.19',
  '2.5.29.15',
  '2.5.29.37',
  '2.5.29.17',
])
const KEY_USAGES = Object.keys(KeyUsageFlags).filter((name): name is KeyUsage =>
  Number.isNaN(Number(name)),
)

/** Undefined where it is none. `der` is attacker-chosen: no throw, and no more work than its bounded length is worth. */
export function parseCertificate(der: Uint8Array): Certificate | undefined {
  if (der.length > MAX_BYTES) return undefined
  const frame = readFrame(der)
  if (frame === undefined) return undefined
  try {
    return readCertificate(new Uint8Array(der), frame)
  } catch {
    return undefined
  }
}

/** The library keeps what it has read to its own kind. */
class StructuredCertificate extends ParsedCertificate {
  get structure() {
    return this.asn
  }
}

function readCertificate(
  der: Uint8Array<ArrayBuffer>,
  frame: CertificateFrame,
): Certificate | undefined {
  const parsed = new StructuredCertificate(der)
  const {
    tbsCertificate: tbs,
    tbsCertificateRaw: data,
    signatureAlgorithm,
    signatureValue,
  } = parsed.structure
  const extensions = [...parsed.extensions]
  const types = extensions.map(({ type }) => type)
  // RFC 5280 §4.2: no extension twice. A second one would count for one reader and not for the next.
  if (data === undefined || new Set(types).size !== types.length) return undefined
  // RFC 5280 §4.1.1.2: the algorithm inside is the algorithm outside.
  if (tbs.signature.algorithm !== signatureAlgorithm.algorithm) return undefined
  const notBefore = parsed.notBefore.getTime() / 1000
  const notAfter = parsed.notAfter.getTime() / 1000
  if (!Number.isFinite(notBefore) || !Number.isFinite(notAfter)) return undefined
  const constraints = extensions.find((it) => it instanceof BasicConstraintsExtension)
  return {
    der,
    thumbprint: createHash('sha256').update(der).digest('base64url'),
    serial: serialOf(tbs.serialNumber),
    ...frame,
    subjectName: readName(tbs.subject),
    notBefore,
    notAfter,
    authority: constraints?.ca === true ? { pathLength: constraints.pathLength } : undefined,
    keyUsage: readKeyUsage(extensions),
    extendedKeyUsage: readExtendedKeyUsage(extensions),
    names: readNames(extensions),
    hasNameConstraints: types.includes(NAME_CONSTRAINTS),
    unknownCritical: extensions
      .filter(({ type, critical }) => critical && !UNDERSTOOD.has(type))
      .map(({ type }) => type),
    subjectKeyId: extensions.find((it) => it instanceof SubjectKeyIdentifierExtension)?.keyId,
    authorityKeyId: extensions.find((it) => it instanceof AuthorityKeyIdentifierExtension)?.keyId,
    publicKey: createPublicKey({
      key: Buffer.from(parsed.publicKey.rawData),
      format: 'der',
      type: 'spki',
    }),
    signed: {
      data: new Uint8Array(data),
      algorithm: signatureAlgorithm.algorithm,
      signature: new Uint8Array(signatureValue),
    },
  }
}

/** As it is compared, of a certificate and of an entry in a revocation list. */
export function serialOf(integer: ArrayBuffer): string {
  return Buffer.from(integer).toString('hex').replace(/^0+/, '')
}

type ParsedName = StructuredCertificate['structure']['tbsCertificate']['subject']

function readName(name: ParsedName): Certificate['subjectName'] {
  // Plain lists: those of the library keep their kind when they are mapped.
  return Array.from(name, (part) =>
    Array.from(part, ({ type, value }) => ({
      type,
      value: value.anyValue === undefined ? value.toString() : undefined,
    })),
  )
}

function readKeyUsage(extensions: readonly Extension[]): Certificate['keyUsage'] {
  const found = extensions.find((it) => it instanceof KeyUsagesExtension)
  if (found === undefined) return undefined
  const usages = KEY_USAGES.filter((usage) => (found.usages & KeyUsageFlags[usage]) !== 0)
  return { usages: new Set(usages), critical: found.critical }
}

function readExtendedKeyUsage(extensions: readonly Extension[]): readonly string[] | undefined {
  const found = extensions.find((it) => it instanceof ExtendedKeyUsageExtension)
  return found && Array.from(found.usages, String)
}

function readNames(extensions: readonly Extension[]): CertificateNames {
  const found = extensions.find((it) => it instanceof SubjectAlternativeNameExtension)
  const items = found?.names.items ?? []
  const ofKind = (kind: GeneralName['type']): readonly string[] =>
    items.filter(({ type }) => type === kind).map(({ value }) => value)
  return { uri: ofKind('url'), dns: ofKind('dns'), email: ofKind('email'), ip: ofKind('ip') }
}
