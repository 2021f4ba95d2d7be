/**
 * Evidence of one task: that these entries are in the log that the checkpoint signs, at these places, word for word. Not that
 * there are no more of them: of that a bundle can say nothing.
 */
import { decodeBase64url, encodeBase64url } from '../base64url.ts'
import { isJsonObject, type JsonObject } from '../strict-json.ts'
import { AuditProofError } from './audit-proof-error.ts'
import { decodeBase64 } from './base64.ts'
import { sha256, utf8 } from './bytes.ts'
import { type Checkpoint, logOrigin, verifyCheckpoint } from './checkpoint.ts'
import { type Cosignature, verifyCosignature } from './cosignature.ts'
import { findEntry } from './entry-line.ts'
import {
  type EvidenceBundle,
  type EvidenceEntry,
  type EvidenceText,
  type EvidenceVersion,
  readBundle,
} from './evidence-bundle.ts'
import { versionOf } from './tenant-version.ts'
import { verifyInclusion } from './tree-proof.ts'

/** Whom the auditor believes, from elsewhere than the bundle. */
export interface EvidenceTrust {
  /** The log's verifier key. Without it the bundle's own is taken, and the report says so. */
  readonly key?: string
  /** Verifier keys of witnesses. */
  readonly witnesses?: readonly string[]
}

/** All of it is proven, as far as `key` is to be believed. */
export interface EvidenceReport {
  /** `of_the_bundle`: it holds together, and may be made up as a whole. */
  readonly key: 'given' | 'of_the_bundle'
  readonly checkpoint: Checkpoint
  /** Of the given witnesses, those who signed the checkpoint. */
  readonly cosignatures: readonly Cosignature[]
  readonly tenant: string
  readonly issuer: string
  readonly txn: string
  /** By index, rising. */
  readonly entries: readonly ProvenEntry[]
  readonly versions: readonly EvidenceVersion[]
  /** Named by entries, and not in the bundle. */
  readonly missingVersions: readonly string[]
  readonly texts: readonly ProvenText[]
}

export interface ProvenEntry {
  readonly index: number
  readonly entry: JsonObject
}

export type ProvenText = Pick<EvidenceText, 'index' | 'name' | 'text'>

/**
 * `bundle`: what JSON.parse made of the file. Throws AuditProofError, with the entry's index where the reason is one entry's:
 * any of AUDIT_PROOF_REASONS but `sizes_reversed` and `trees_inconsistent`.
 */
export async function verifyEvidence(
  bundle: unknown,
  { key, witnesses = [] }: EvidenceTrust = {},
): Promise<EvidenceReport> {
  const evidence = readBundle(bundle)
  const { tenant, issuer, txn } = evidence
  const checkpoint = await verifyCheckpoint(evidence.checkpoint, key ?? evidence.key)
  const origin = logOrigin(issuer)
  if (checkpoint.origin !== origin || evidence.origin !== origin)
    throw new AuditProofError('origin_mismatch')
  const entries = await provenEntries(evidence, checkpoint)
  const versions = await provenVersions(evidence.versions)
  return {
    key: key === undefined ? 'of_the_bundle' : 'given',
    checkpoint,
    cosignatures: await cosignaturesOf(evidence.checkpoint, witnesses),
    tenant,
    issuer,
    txn,
    entries,
    versions,
    missingVersions: missingVersions(entries, versions),
    texts: await provenTexts(evidence.texts ?? [], entries),
  }
}

/** Entries whose proofs are checked at once: hashing is done beside this thread. */
const AT_ONCE = 64

async function provenEntries(
  evidence: EvidenceBundle,
  checkpoint: Checkpoint,
): Promise<readonly ProvenEntry[]> {
  checkOrder(evidence.entries)
  const proven: ProvenEntry[] = []
  for (let at = 0; at < evidence.entries.length; at += AT_ONCE) {
    const some = evidence.entries.slice(at, at + AT_ONCE)
    // All are waited for, so that of several that fail the first is named.
    const settled = await Promise.allSettled(
      some.map((stated) => provenEntry(evidence, checkpoint, stated)),
    )
    for (const outcome of settled) {
      if (outcome.status === 'rejected') throw outcome.reason as AuditProofError
      proven.push(outcome.value)
    }
  }
  return proven
}

function checkOrder(entries: readonly EvidenceEntry[]): void {
  let last = -1
  for (const { index } of entries) {
    if (index <= last) throw new AuditProofError('entries_not_rising', index)
    last = index
  }
}

async function provenEntry(
  { tenant, txn }: EvidenceBundle,
  { size, root }: Checkpoint,
  stated: EvidenceEntry,
): Promise<ProvenEntry> {
  const { index } = stated
  const leaf = leafOf(stated)
  await verifyInclusion({ leaf, index, size, proof: proofOf(stated), root }).catch(
    (error: unknown) => {
      throw error instanceof AuditProofError ? new AuditProofError(error.reason, index) : error
    },
  )
  const entry = findEntry(leaf)
  if (entry === undefined) throw new AuditProofError('line_malformed', index)
  if (entry['tenant'] !== tenant) throw new AuditProofError('entry_of_another_tenant', index)
  if (entry['txn'] !== txn) throw new AuditProofError('entry_of_another_task', index)
  return { index, entry }
}

function leafOf({ index, line, line_base64 }: EvidenceEntry): Uint8Array {
  const leaf = line_base64 === undefined ? utf8(line ?? '') : decodeBase64(line_base64)
  // A leaf is one line, and a text with half a character in it stands for no octets.
  const isLine = leaf !== undefined && !leaf.includes(LINE_END) && !HALF_CHARACTER.test(line ?? '')
  if (!isLine) throw new AuditProofError('line_malformed', index)
  return leaf
}

const LINE_END = 0x0a
const HALF_CHARACTER = /\p{Surrogate}/u

function proofOf({ index, proof }: EvidenceEntry): readonly Uint8Array[] {
  return proof.map((base64) => {
    const hash = decodeBase64(base64)
    if (hash === undefined) throw new AuditProofError('proof_malformed', index)
    return hash
  })
}

async function provenVersions(
  versions: readonly EvidenceVersion[],
): Promise<readonly EvidenceVersion[]> {
  for (const { version, documents } of versions)
    if (version !== (await versionOf(documents))) throw new AuditProofError('version_mismatch')
  return versions
}

function missingVersions(
  entries: readonly ProvenEntry[],
  versions: readonly EvidenceVersion[],
): readonly string[] {
  // Empty where the tenant had none, as before its first.
  const there = new Set(['', ...versions.map(({ version }) => version)])
  const named = entries.map(({ entry }) => entry['tenant_version'])
  return [...new Set(named)]
    .filter((version) => typeof version === 'string')
    .filter((version) => !there.has(version))
}

async function provenTexts(
  texts: readonly EvidenceText[],
  entries: readonly ProvenEntry[],
): Promise<readonly ProvenText[]> {
  const byIndex = new Map(entries.map(({ index, entry }) => [index, entry]))
  const proven: ProvenText[] = []
  for (const { index, name, salt, text } of texts) {
    const digests = byIndex.get(index)?.['digests']
    const octets = decodeBase64url(salt)
    const digest = isJsonObject(digests) && Object.hasOwn(digests, name) ? digests[name] : undefined
    const isText = octets !== undefined && digest === (await digestOf(octets, text))
    if (!isText) throw new AuditProofError('text_mismatch', index)
    proven.push({ index, name, text })
  }
  return proven
}

async function digestOf(salt: Uint8Array, text: string): Promise<string> {
  return `sha-256:${encodeBase64url(await sha256(salt, utf8(text)))}`
}

/** A witness who did not sign is passed over; one whose signature is wrong is not. */
async function cosignaturesOf(
  checkpoint: string,
  witnesses: readonly string[],
): Promise<readonly Cosignature[]> {
  const cosignatures: Cosignature[] = []
  for (const witness of witnesses) {
    const cosignature = await verifyCosignature(checkpoint, witness).catch((error: unknown) => {
      if (error instanceof AuditProofError && error.reason === 'signature_missing') return undefined
      throw error
    })
    if (cosignature !== undefined) cosignatures.push(cosignature)
  }
  return cosignatures
}
