/**
 * The form of an evidence bundle: one JSON file with all that a task left in a log. Read with suspicion: everything in it may be
 * written by whoever hands it over, so sizes are bounded before anything is decoded or hashed.
 */
import { isJsonObject, type JsonObject } from '../strict-json.ts'
import { AuditProofError } from './audit-proof-error.ts'

export const EVIDENCE_FORMAT = 'actchain-evidence/1'

/** As it is written. Members that are not named here prove nothing, and nothing is made of them. */
export interface EvidenceBundle {
  readonly format: typeof EVIDENCE_FORMAT
  readonly tenant: string
  readonly issuer: string
  /** The task. */
  readonly txn: string
  /** Which log: the issuer without its scheme, and `/audit`. */
  readonly origin: string
  /** The log's verifier key, as the bundle's maker says. */
  readonly key: string
  /** A signed note (C2SP tlog-checkpoint). */
  readonly checkpoint: string
  /** By index, rising; at least one. */
  readonly entries: readonly EvidenceEntry[]
  /** Versions of the tenant's configuration that entries name. */
  readonly versions: readonly EvidenceVersion[]
  /** Texts that the tenant keeps, of these entries. */
  readonly texts?: readonly EvidenceText[]
}

export interface EvidenceEntry {
  /** Of its leaf in the log's tree, from 0. */
  readonly index: number
  /** The leaf: the exact line, or, of one that is not UTF-8 because a crash tore what stood before the entry, base64. */
  readonly line?: string
  readonly line_base64?: string
  /** RFC 9162 §2.1.3.1, each hash in base64. */
  readonly proof: readonly string[]
}

export interface EvidenceVersion {
  readonly version: string
  /** What each file says: of YAML the data, of a policy the text. */
  readonly documents: JsonObject
}

export interface EvidenceText {
  /** Of the entry that has the text's digest. */
  readonly index: number
  readonly name: string
  /** Base64url. */
  readonly salt: string
  readonly text: string
}

const MAX_ENTRIES = 100_000
const MAX_VERSIONS = 100
const MAX_TEXTS = 200_000
/** No tree of 2^53 leaves asks for more. */
const MAX_PROOF = 53
/** UTF-16 units of any string: some times the longest line a server writes. */
const MAX_STRING = 1_048_576

/** Throws AuditProofError: `bundle_format_unknown`, `bundle_malformed`, `bundle_too_large`, with the entry where it is in one. */
export function readBundle(bundle: unknown): EvidenceBundle {
  if (!isJsonObject(bundle)) throw new AuditProofError('bundle_malformed')
  if (bundle['format'] !== EVIDENCE_FORMAT) throw new AuditProofError('bundle_format_unknown')
  const entries = readList(bundle['entries'], MAX_ENTRIES)
  if (entries.length === 0) throw new AuditProofError('bundle_malformed')
  return {
    format: EVIDENCE_FORMAT,
    tenant: readString(bundle['tenant']),
    issuer: readString(bundle['issuer']),
    txn: readString(bundle['txn']),
    origin: readString(bundle['origin']),
    key: readString(bundle['key']),
    checkpoint: readString(bundle['checkpoint']),
    entries: entries.map(readEntry),
    versions: readList(bundle['versions'], MAX_VERSIONS).map(readVersion),
    texts: bundle['texts'] === undefined ? [] : readList(bundle['texts'], MAX_TEXTS).map(readText),
  }
}

function readEntry(value: unknown): EvidenceEntry {
  const index = readIndex(value)
  const { line, line_base64, proof } = value as Partial<Record<keyof EvidenceEntry, unknown>>
  const hashes = readList(proof, MAX_PROOF, index).map((hash) => readString(hash, index))
  if (line_base64 === undefined) return { index, line: readString(line, index), proof: hashes }
  if (line !== undefined) throw new AuditProofError('bundle_malformed', index)
  return { index, line_base64: readString(line_base64, index), proof: hashes }
}

function readVersion(value: unknown): EvidenceVersion {
  if (!isJsonObject(value)) throw new AuditProofError('bundle_malformed')
  const { documents } = value
  if (!isJsonObject(documents)) throw new AuditProofError('bundle_malformed')
  return { version: readString(value['version']), documents }
}

function readText(value: unknown): EvidenceText {
  const index = readIndex(value)
  const { name, salt, text } = value as Partial<Record<keyof EvidenceText, unknown>>
  return {
    index,
    name: readString(name, index),
    salt: readString(salt, index),
    text: readString(text, index),
  }
}

function readIndex(value: unknown): number {
  const index = isJsonObject(value) ? value['index'] : undefined
  if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0)
    throw new AuditProofError('bundle_malformed')
  return index
}

function readString(value: unknown, index?: number): string {
  if (typeof value !== 'string') throw new AuditProofError('bundle_malformed', index)
  if (value.length > MAX_STRING) throw new AuditProofError('bundle_too_large', index)
  return value
}

function readList(value: unknown, most: number, index?: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new AuditProofError('bundle_malformed', index)
  if (value.length > most) throw new AuditProofError('bundle_too_large', index)
  return value
}
