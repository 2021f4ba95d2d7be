/**
 * Certificate revocation lists (RFC 5280 §5), from one configured file: whole lists, each signed by the authority whose certificates
 * it is about. A list that is stale, unreadable or missing refuses; lists of differences and lists about other authorities'
 * certificates are not understood and so not accepted.
 */
import 'reflect-metadata'
import { X509Crl } from '@peculiar/x509'
import { type Certificate, type Signed, serialOf } from './certificate.ts'
import { isSignedBy } from './certificate-signature.ts'
import { isWholeDer } from './der.ts'
import { readPem } from './pem.ts'

export type RevocationFault =
  | 'certificate_revoked'
  /** No list of the certificate's issuer is at hand. */
  | 'revocation_list_missing'
  | 'revocation_list_signature'
  | 'revocation_list_stale'
  | 'revocation_list_not_yet_valid'

export interface RevocationLists {
  /** Until when what they say now may be remembered: the earliest end of one that has not ended. Seconds since the epoch. */
  until(now: number): number
  /** Undefined: it is not revoked, and that is certain. Costs a signature check for each list the first time. */
  findFault(certificate: Certificate, issuer: Certificate, now: number): RevocationFault | undefined
}

interface RevocationList {
  /** DER in base64. */
  readonly issuer: string
  readonly thisUpdate: number
  readonly nextUpdate: number
  readonly serials: ReadonlySet<string>
  readonly signed: Signed
}

/** A list for every one of a million workloads; more is no list of ours. */
const MAX_BYTES = 64 * 1024 * 1024
const MAX_LISTS = 16
/** RFC 5280 §5.2.4, §5.2.5, §5.3.3: deltaCRLIndicator, issuingDistributionPoint, and an entry of another authority. */
const PARTIAL: ReadonlySet<string> = new Set(['2.5.29.27', '2.5.29.28', '2.5.29.29'])
const PEM_START = '-----BEGIN'

/** Reads a file of lists: DER of one, or PEM of some. Undefined where one of them cannot be read or understood. */
export function readRevocationLists(file: Uint8Array): RevocationLists | undefined {
  if (file.length > MAX_BYTES) return undefined
  const text = Buffer.from(file.buffer, file.byteOffset, file.length)
  const isPem = text.subarray(0, PEM_START.length).toString('latin1') === PEM_START
  const encoded = isPem ? readPem(text.toString('latin1'), 'X509 CRL') : [file]
  if (encoded === undefined || encoded.length > MAX_LISTS) return undefined
  const lists = encoded.map(readList)
  return lists.includes(undefined)
    ? undefined
    : new ReadLists(lists.filter((it) => it !== undefined))
}

class ReadLists implements RevocationLists {
  readonly #lists: readonly RevocationList[]
  /** List to the thumbprints of authorities that have, or have not, signed it. */
  readonly #signers = new Map<RevocationList, Map<string, boolean>>()

  constructor(lists: readonly RevocationList[]) {
    this.#lists = lists
  }

  until(now: number): number {
    return Math.min(...this.#lists.map(({ nextUpdate }) => nextUpdate).filter((end) => end > now))
  }

  findFault(
    certificate: Certificate,
    issuer: Certificate,
    now: number,
  ): RevocationFault | undefined {
    const named = this.#lists.filter((list) => list.issuer === issuer.subject)
    if (named.length === 0) return 'revocation_list_missing'
    // Two authorities may have one name: each list is its signer's alone.
    const own = named.filter((list) => this.#isSignedBy(issuer, list))
    if (own.length === 0) return 'revocation_list_signature'
    if (own.some(({ serials }) => serials.has(certificate.serial))) return 'certificate_revoked'
    const begun = own.filter(({ thisUpdate }) => thisUpdate <= now)
    if (begun.length === 0) return 'revocation_list_not_yet_valid'
    return begun.some(({ nextUpdate }) => now < nextUpdate) ? undefined : 'revocation_list_stale'
  }

  #isSignedBy(issuer: Certificate, list: RevocationList): boolean {
    const known = this.#signers.get(list) ?? new Map<string, boolean>()
    this.#signers.set(list, known)
    const before = known.get(issuer.thumbprint)
    if (before !== undefined) return before
    // RFC 5280 §6.3.3 (f): the authority may sign lists.
    const maySign = issuer.keyUsage?.usages.has('cRLSign') === true
    const isSigned = maySign && isSignedBy(issuer.publicKey, list.signed)
    known.set(issuer.thumbprint, isSigned)
    return isSigned
  }
}

/** The library keeps what it has read to its own kind. */
class StructuredList extends X509Crl {
  get structure() {
    return this.asn
  }
}

function readList(der: Uint8Array): RevocationList | undefined {
  if (!isWholeDer(der)) return undefined
  try {
    return readStructure(new StructuredList(new Uint8Array(der)))
  } catch {
    return undefined
  }
}

function readStructure(list: StructuredList): RevocationList | undefined {
  const { tbsCertList: tbs, tbsCertListRaw: data, signatureAlgorithm, signature } = list.structure
  const { revokedCertificates: entries = [], crlExtensions = [] } = tbs
  // RFC 5280 §5.1.1.2: the algorithm inside is the algorithm outside.
  if (data === undefined || tbs.signature.algorithm !== signatureAlgorithm.algorithm)
    return undefined
  const extensions = [...crlExtensions, ...entries.flatMap((it) => it.crlEntryExtensions ?? [])]
  if (extensions.some(({ critical, extnID }) => critical || PARTIAL.has(extnID))) return undefined
  const thisUpdate = tbs.thisUpdate.getTime().getTime() / 1000
  // RFC 5280 §5.1.2.5: always there. A list without an end would be good for ever.
  const nextUpdate = (tbs.nextUpdate?.getTime().getTime() ?? Number.NaN) / 1000
  if (!Number.isFinite(thisUpdate) || !Number.isFinite(nextUpdate)) return undefined
  return {
    issuer: Buffer.from(list.issuerName.toArrayBuffer()).toString('base64'),
    thisUpdate,
    nextUpdate,
    serials: new Set(entries.map(({ userCertificate }) => serialOf(userCertificate))),
    signed: {
      data: new Uint8Array(data),
      algorithm: signatureAlgorithm.algorithm,
      signature: new Uint8Array(signature),
    },
  }
}
