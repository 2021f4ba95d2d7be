/**
 * A small certificate authority for tests: roots, intermediates, leaves and revocation lists, sound unless a test asks for a
 * fault. Real keys and signatures; P-256 unless asked otherwise, which is fast.
 */
import 'reflect-metadata'
import { createHash, createPublicKey, randomBytes } from 'node:crypto'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '@peculiar/x509'

const KEY_KINDS = {
  'P-256': { name: 'ECDSA', namedCurve: 'P-256' },
  'P-384': { name: 'ECDSA', namedCurve: 'P-384' },
  'P-521': { name: 'ECDSA', namedCurve: 'P-521' },
  Ed25519: { name: 'Ed25519' },
  'RSA-1024': rsa(1024),
  'RSA-2048': rsa(2048),
} as const

export type KeyKind = keyof typeof KEY_KINDS
export type HashName = 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512'
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
export const EMAIL_PROTECTION = '1.3.6.1.5.5.7.3.4'
export const HOUR_MS = 3_600_000

/** What a certificate says. What is absent is as a sound one has it; `null` leaves an extension out. */
export interface CertificateShape {
  readonly subject?: string
  /** Hex; random otherwise. */
  readonly serial?: string
  /** An hour ago, and in an hour. */
  readonly notBefore?: Date
  readonly notAfter?: Date
  readonly basicConstraints?: { readonly ca: boolean; readonly pathLength?: number } | null
  readonly keyUsage?: readonly (keyof typeof KeyUsageFlags)[] | null
  readonly keyUsageCritical?: boolean
  /** Object identifiers; none otherwise. */
  readonly extendedKeyUsage?: readonly string[]
  /** Subject alternative names; none otherwise. */
  readonly names?: JsonGeneralNames
  readonly namesCritical?: boolean
  /** Besides those above, or a second one of their kind. */
  readonly extensions?: readonly Extension[]
  readonly keyKind?: KeyKind
  /** A pair made before, instead of a new one. */
  readonly keys?: CryptoKeyPair
  /** Another issuer name than the signer's subject. */
  readonly issuerName?: string
  /** Hash of the signature over it. */
  readonly hash?: HashName
}

/** A certificate and the key it is about. */
export interface TestCertificate {
  readonly certificate: X509Certificate
  readonly der: Uint8Array
  readonly pem: string
  readonly keyPem: string
  /** RFC 8705 §3.1: `x5t#S256`. */
  readonly thumbprint: string
  readonly keys: CryptoKeyPair
  readonly keyKind: KeyKind
}

/** A self-signed authority. */
export async function makeRoot(shape: CertificateShape = {}): Promise<TestCertificate> {
  return make(undefined, { subject: 'CN=Test root', ...AUTHORITY, ...shape })
}

export async function makeIntermediate(
  issuer: TestCertificate,
  shape: CertificateShape = {},
): Promise<TestCertificate> {
  return make(issuer, { subject: 'CN=Test intermediate', ...AUTHORITY, ...shape })
}

/** A client's certificate. */
export async function makeLeaf(
  issuer: TestCertificate,
  shape: CertificateShape = {},
): Promise<TestCertificate> {
  return make(issuer, { subject: 'CN=Test client', ...LEAF, ...shape })
}

/** A client's certificate that nobody else signed. */
export async function makeSelfSigned(shape: CertificateShape = {}): Promise<TestCertificate> {
  return make(undefined, { subject: 'CN=Test client', ...LEAF, ...shape })
}

/** An X.509-SVID (X509-SVID §2, §4), as a workload API hands it out. */
export async function makeSvid(
  issuer: TestCertificate,
  spiffeId: string,
  shape: CertificateShape = {},
): Promise<TestCertificate> {
  return makeLeaf(issuer, {
    subject: 'O=SPIRE,C=US',
    extendedKeyUsage: [SERVER_AUTH, CLIENT_AUTH],
    names: [{ type: 'url', value: spiffeId }],
    ...shape,
  })
}

/** Its entry in a SPIFFE bundle (X509-SVID §6.2). */
export function bundleEntry({ certificate, der }: TestCertificate): Record<string, unknown> {
  const { kty, crv, x, y } = publicJwk(certificate)
  return { use: 'x509-svid', kty, crv, x, y, x5c: [Buffer.from(der).toString('base64')] }
}

export interface RevocationListShape {
  readonly revoked?: readonly TestCertificate[]
  readonly thisUpdate?: Date
  /** `null`: the member is absent. */
  readonly nextUpdate?: Date | null
  readonly extensions?: readonly Extension[]
  readonly issuerName?: string
  readonly hash?: HashName
}

/** A revocation list as DER, good for an hour. */
export async function makeRevocationList(
  issuer: TestCertificate,
  shape: RevocationListShape = {},
): Promise<Uint8Array> {
  const nextUpdate = shape.nextUpdate === undefined ? hoursFromNow(1) : shape.nextUpdate
  const list = await X509CrlGenerator.create({
    issuer: shape.issuerName ?? issuer.certificate.subjectName.toJSON(),
    thisUpdate: shape.thisUpdate ?? hoursFromNow(-1),
    ...(nextUpdate === null ? {} : { nextUpdate }),
    entries: (shape.revoked ?? []).map(({ certificate }) => ({
      serialNumber: certificate.serialNumber,
      revocationDate: hoursFromNow(-1),
    })),
    extensions: [...(shape.extensions ?? [])],
    signingAlgorithm: signingAlgorithm(issuer.keyKind, shape.hash),
    signingKey: issuer.keys.privateKey,
  })
  return new Uint8Array(list.rawData)
}

export function pemOf(der: Uint8Array, label: 'CERTIFICATE' | 'X509 CRL'): string {
  return `${PemConverter.encode(new Uint8Array(der), label)}\n`
}

export const hoursFromNow = (hours: number): Date => new Date(Date.now() + hours * HOUR_MS)

/** An extension nobody knows. */
export const unknownExtension = (critical: boolean): Extension =>
  new Extension('1.3.6.1.4.1.99999.1', critical, new Uint8Array([5, 0]))

const AUTHORITY: CertificateShape = {
  basicConstraints: { ca: true },
  keyUsage: ['keyCertSign', 'cRLSign'],
}
const LEAF: CertificateShape = {
  basicConstraints: { ca: false },
  keyUsage: ['digitalSignature'],
}

async function make(
  issuer: TestCertificate | undefined,
  shape: CertificateShape,
): Promise<TestCertificate> {
  const keyKind = shape.keyKind ?? 'P-256'
  const keys = shape.keys ?? (await makeKeys(keyKind))
  const signer = issuer ?? { keys, keyKind }
  const subject = shape.subject ?? 'CN=Test'
  const issuerName = issuer === undefined ? subject : issuer.certificate.subjectName.toJSON()
  const certificate = await X509CertificateGenerator.create({
    serialNumber: shape.serial ?? `4${randomBytes(8).toString('hex').slice(1)}`,
    subject,
    issuer: shape.issuerName ?? issuerName,
    notBefore: shape.notBefore ?? hoursFromNow(-1),
    notAfter: shape.notAfter ?? hoursFromNow(1),
    publicKey: keys.publicKey,
    signingKey: signer.keys.privateKey,
    signingAlgorithm: signingAlgorithm(signer.keyKind, shape.hash),
    extensions: extensionsOf(shape),
  })
  const der = new Uint8Array(certificate.rawData)
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    certificate,
    der,
    pem: pemOf(der, 'CERTIFICATE'),
    keyPem: `${PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
    thumbprint: createHash('sha256').update(der).digest('base64url'),
    keys,
    keyKind,
  }
}

function extensionsOf(shape: CertificateShape): Extension[] {
  const { basicConstraints, keyUsage, extendedKeyUsage, names } = shape
  const extensions: Extension[] = []
  if (basicConstraints) {
    const { ca, pathLength } = basicConstraints
    extensions.push(new BasicConstraintsExtension(ca, pathLength, true))
  }
  if (keyUsage) {
    const flags = keyUsage.reduce((all, name) => all | KeyUsageFlags[name], 0)
    extensions.push(new KeyUsagesExtension(flags, shape.keyUsageCritical ?? true))
  }
  if (extendedKeyUsage !== undefined) {
    extensions.push(new ExtendedKeyUsageExtension([...extendedKeyUsage], false))
  }
  if (names !== undefined) {
    extensions.push(new SubjectAlternativeNameExtension(names, shape.namesCritical ?? false))
  }
  return [...extensions, ...(shape.extensions ?? [])]
}

async function makeKeys(keyKind: KeyKind): Promise<CryptoKeyPair> {
  const made = await crypto.subtle.generateKey(KEY_KINDS[keyKind], true, ['sign', 'verify'])
  if (!('privateKey' in made)) throw new Error('no key pair')
  return made
}

function signingAlgorithm(keyKind: KeyKind, hash: HashName = 'SHA-256') {
  const { name } = KEY_KINDS[keyKind]
  return name === 'Ed25519' ? { name } : { name, hash }
}

function rsa(modulusLength: number) {
  const publicExponent = new Uint8Array([1, 0, 1])
  return { name: 'RSASSA-PKCS1-v1_5', modulusLength, publicExponent, hash: 'SHA-256' } as const
}

function publicJwk(certificate: X509Certificate): JsonWebKey {
  const key = createPublicKey({
    key: Buffer.from(certificate.publicKey.rawData),
    format: 'der',
    type: 'spki',
  })
  return key.export({ format: 'jwk' })
}
