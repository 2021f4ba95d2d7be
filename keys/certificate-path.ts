/**
 * Path validation (RFC 5280 §6), stricter where that is simpler: anchors obey the same rules as what is beneath them, names chain
 * byte for byte, name constraints and policies are not understood and so not accepted. Beside each path that holds stands the
 * opinion of node's own certificate class: where the two readers disagree, nobody is believed.
 */
import { X509Certificate } from 'node:crypto'
import { type Certificate, parseCertificate } from './certificate.ts'
import { isAcceptedAlgorithm, isSignedBy, isSoundKey } from './certificate-signature.ts'
import { type CertificateFrame, readFrame } from './der.ts'
import type { RevocationFault, RevocationLists } from './revocation-list.ts'

/** Certificates of one path, its anchor and the client's own included; and how many a client may send beside. */
const MAX_PATH = 8
/** Several authorities may have one name, as SPIFFE's often do; each may have to be tried. */
const MAX_SIGNATURE_CHECKS = 16
/** Beginnings of paths that are looked at by name: names are free, and whoever writes eight certificates has 8! orders of them. */
const MAX_BEGINNINGS = 64
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

export interface PathRequest {
  /** Whom to trust, and nobody else: no system store, no other's bundle. */
  readonly anchors: readonly Certificate[]
  /** The client's own: attacker-chosen. */
  readonly leaf: Certificate
  /** DER of what it sent beside: attacker-chosen, in any order, used or not. */
  readonly intermediates: readonly Uint8Array[]
  /** Undefined: none is configured, and revocation is not looked at. */
  readonly revocation: RevocationLists | undefined
  /** Seconds since the epoch. */
  readonly now: number
}

export type PathFault =
  | 'certificate_untrusted'
  | 'certificate_chain_too_long'
  | 'certificate_malformed'
  | 'certificate_not_yet_valid'
  | 'certificate_expired'
  | 'certificate_algorithm'
  | 'certificate_key'
  | 'certificate_critical_extension'
  | 'certificate_name_constraints'
  | 'certificate_extended_key_usage'
  | 'certificate_key_usage'
  | 'certificate_is_authority'
  | 'certificate_issuer_is_no_authority'
  | 'certificate_issuer_key_usage'
  | 'certificate_path_length'
  | 'certificate_signature'
  | 'certificate_second_opinion'
  | RevocationFault

export interface PathOutcome {
  /** Undefined: it holds. */
  readonly fault: PathFault | undefined
  /** Until when the path holds: the earliest end of a certificate or revocation list. Seconds since the epoch. */
  readonly until: number
  /** What it cost. A path that does not begin at an anchor costs none, a forged one costs one for each anchor it may claim. */
  readonly signatureChecks: number
}

/** Whether an anchor vouches for the leaf as a client's certificate. Total and bounded, whatever was presented. */
export function validatePath(request: PathRequest): PathOutcome {
  const { leaf, revocation, now } = request
  const work: Work = { signatureChecks: 0 }
  const refused = (fault: PathFault): PathOutcome => ({ fault, until: 0, ...work })
  if (request.intermediates.length > MAX_PATH) return refused('certificate_chain_too_long')
  // What needs no issuer to be seen.
  const faultOfLeaf = findFault(leaf, now) ?? findLeafFault(leaf)
  if (faultOfLeaf !== undefined) return refused(faultOfLeaf)
  let fault: PathFault = 'certificate_untrusted'
  for (const claimed of claimedPaths(request)) {
    const path = verifyPath(claimed, now, work)
    const found = typeof path === 'string' ? path : findFaultOf(path, request)
    if (found === undefined && typeof path !== 'string') {
      const ends = path.map(({ notAfter }) => notAfter)
      const until = Math.min(...ends, revocation?.until(now) ?? Infinity)
      return { fault: undefined, until, ...work }
    }
    fault = found ?? fault
    if (work.signatureChecks >= MAX_SIGNATURE_CHECKS) break
  }
  return refused(fault)
}

interface Work {
  signatureChecks: number
}

/** A certificate in its place, read no further than its names until its turn comes. */
interface Claimed extends CertificateFrame {
  readonly read: () => Certificate | undefined
}

/** Paths that names allow, the anchor first, each certificate at most once in a path, so that there are no loops. */
function* claimedPaths({
  anchors,
  leaf,
  intermediates,
}: PathRequest): Generator<readonly Claimed[]> {
  const roots = anchors.map(asRead)
  // The same one again is no other beginning.
  const distinct = new Map(intermediates.map((der) => [Buffer.from(der).toString('base64'), der]))
  const between = [...distinct.values()].flatMap((der) => claim(der) ?? [])
  const beginnings: (readonly Claimed[])[] = [[asRead(leaf)]]
  for (let looked = 0; looked < MAX_BEGINNINGS; looked++) {
    const path = beginnings.pop()
    const [top] = path ?? []
    if (path === undefined || top === undefined) return
    for (const root of roots) {
      if (root.subject === top.issuer) yield [root, ...path]
    }
    if (path.length + 1 >= MAX_PATH) continue
    for (const certificate of between) {
      const isNext = certificate.subject === top.issuer && !path.includes(certificate)
      if (isNext) beginnings.push([certificate, ...path])
    }
  }
}

function asRead(certificate: Certificate): Claimed {
  const { issuer, subject } = certificate
  return { issuer, subject, read: () => certificate }
}

function claim(der: Uint8Array): Claimed | undefined {
  const frame = readFrame(der)
  if (frame === undefined) return undefined
  let certificate: Certificate | undefined
  return { ...frame, read: () => (certificate ??= parseCertificate(der)) }
}

/** From the anchor on, so that nobody's intermediate is a key to check with, or read, before somebody vouched for it. */
function verifyPath(
  claimed: readonly Claimed[],
  now: number,
  work: Work,
): readonly Certificate[] | PathFault {
  const path: Certificate[] = []
  for (const { read } of claimed) {
    const certificate = read()
    if (certificate === undefined) return 'certificate_malformed'
    const issuer = path.at(-1)
    const isLast = path.length === claimed.length - 1
    const fault =
      findFault(certificate, now) ??
      (issuer === undefined ? undefined : findForgery(certificate, issuer, work)) ??
      (isLast ? undefined : findAuthorityFault(certificate))
    if (fault !== undefined) return fault
    path.push(certificate)
  }
  return path
}

function findFault(certificate: Certificate, now: number): PathFault | undefined {
  const { extendedKeyUsage, publicKey, signed } = certificate
  // RFC 5280 §4.1.2.5: both ends are inside.
  if (now < certificate.notBefore) return 'certificate_not_yet_valid'
  if (now > certificate.notAfter) return 'certificate_expired'
  if (!isAcceptedAlgorithm(signed)) return 'certificate_algorithm'
  if (!isSoundKey(publicKey)) return 'certificate_key'
  // RFC 5280 §4.2.1.10: whom they exclude is not known here, so everybody is.
  if (certificate.hasNameConstraints) return 'certificate_name_constraints'
  // RFC 5280 §4.2.
  if (certificate.unknownCritical.length > 0) return 'certificate_critical_extension'
  // RFC 5280 §4.2.1.12. Of an authority it says for what its clients' certificates are.
  const isForClients = extendedKeyUsage === undefined || extendedKeyUsage.includes(CLIENT_AUTH)
  return isForClients ? undefined : 'certificate_extended_key_usage'
}

function findLeafFault({ authority, keyUsage }: Certificate): PathFault | undefined {
  // Whoever may sign certificates is not one of those they are for.
  if (authority !== undefined) return 'certificate_is_authority'
  const maySign = keyUsage?.usages.has('digitalSignature') ?? true
  return maySign ? undefined : 'certificate_key_usage'
}

function findAuthorityFault({ authority, keyUsage }: Certificate): PathFault | undefined {
  if (authority === undefined) return 'certificate_issuer_is_no_authority'
  // RFC 5280 §4.2.1.3: missing means no.
  const maySign = keyUsage?.usages.has('keyCertSign') === true
  return maySign ? undefined : 'certificate_issuer_key_usage'
}

function findForgery(
  { authorityKeyId, signed }: Certificate,
  { subjectKeyId, publicKey }: Certificate,
  work: Work,
): PathFault | undefined {
  // RFC 5280 §4.2.1.1: where both name a key, it is the same one.
  const isNamed = authorityKeyId !== undefined && subjectKeyId !== undefined
  if (isNamed && authorityKeyId !== subjectKeyId) return 'certificate_untrusted'
  if (work.signatureChecks >= MAX_SIGNATURE_CHECKS) return 'certificate_untrusted'
  work.signatureChecks += 1
  return isSignedBy(publicKey, signed) ? undefined : 'certificate_signature'
}

/** What is seen only of the whole. */
function findFaultOf(
  path: readonly Certificate[],
  { revocation, now }: PathRequest,
): PathFault | undefined {
  if (isOverlong(path.slice(0, -1))) return 'certificate_path_length'
  if (!isHeldByNode(path)) return 'certificate_second_opinion'
  // An anchor is trusted until somebody takes it back; what is beneath it has to be on nobody's list.
  for (const [at, certificate] of path.entries()) {
    const issuer = path[at - 1]
    const fault = issuer && revocation?.findFault(certificate, issuer, now)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** RFC 5280 §6.1.4 (l), (m): how many authorities may follow; one that renews itself is not counted. */
function isOverlong(authorities: readonly Certificate[]): boolean {
  let left = Infinity
  for (const [at, { subject, issuer, authority }] of authorities.entries()) {
    if (at > 0 && subject !== issuer) left -= 1
    if (left < 0) return true
    left = Math.min(left, authority?.pathLength ?? Infinity)
  }
  return false
}

/** Node reads the same bytes with another parser. */
function isHeldByNode(path: readonly Certificate[]): boolean {
  try {
    const seen = path.map(({ der }) => new X509Certificate(der))
    return path.every((certificate, at) => {
      const node = seen[at]
      const issuer = seen[at - 1]
      return (
        node !== undefined &&
        node.ca === at < path.length - 1 &&
        Date.parse(node.validFrom) === certificate.notBefore * 1000 &&
        Date.parse(node.validTo) === certificate.notAfter * 1000 &&
        node.publicKey.equals(certificate.publicKey) &&
        (issuer === undefined || (node.checkIssued(issuer) && node.verify(issuer.publicKey)))
      )
    })
  } catch {
    return false
  }
}
