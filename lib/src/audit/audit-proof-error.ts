/**
 * Every way a proof of an audit log can fail: one closed table from reason to text. Texts are literals, so nothing of an entry
 * gets into one.
 */

/** C2SP signed-note, tlog-checkpoint, tlog-cosignature */
const NOTE_TEXTS = {
  note_too_large: 'the note is too large',
  note_malformed: 'this is no signed note',
  note_signature_repeated: 'a key signed the note twice',
  vkey_malformed: 'this is no verifier key',
  vkey_type_unsupported: 'the verifier key is not of a type that serves here',
  checkpoint_malformed: 'the note is no checkpoint',
  origin_mismatch: 'the checkpoint is of another log',
  signature_missing: 'the note is not signed with this key',
  signature_invalid: 'the signature does not verify',
} as const

/** RFC 9162 §2.1.3, §2.1.4 */
const TREE_TEXTS = {
  index_beyond_size: 'the tree has no leaf with this index',
  sizes_reversed: 'the later tree is smaller than the earlier one',
  proof_malformed: 'the proof is no list of hashes',
  proof_length_wrong: 'the proof has not the length that index and size ask for',
  leaf_not_included: 'the leaf is not in the tree at this index',
  trees_inconsistent: 'the later tree does not begin with the earlier one',
} as const

/** Of an evidence bundle */
const BUNDLE_TEXTS = {
  bundle_format_unknown: 'the bundle is of a format that is not known here',
  bundle_malformed: 'the bundle is malformed',
  bundle_too_large: 'the bundle is too large',
  entries_not_rising: 'the entries are not in the order of their index',
  line_malformed: 'the line is no entry',
  entry_of_another_tenant: 'the entry is of another tenant',
  entry_of_another_task: 'the entry is of another task',
  version_mismatch: 'the documents are not those of the version',
  text_mismatch: 'the text is not the one the entry has the digest of',
} as const

export type AuditProofReason =
  | keyof typeof NOTE_TEXTS
  | keyof typeof TREE_TEXTS
  | keyof typeof BUNDLE_TEXTS

export const AUDIT_PROOF_REASONS: Readonly<Record<AuditProofReason, string>> = {
  ...NOTE_TEXTS,
  ...TREE_TEXTS,
  ...BUNDLE_TEXTS,
}

/** What was to be proven is not. It says why, and of which entry; nothing of what the entry says. */
export class AuditProofError extends Error {
  override readonly name: string = 'AuditProofError'
  readonly reason: AuditProofReason
  /** Of the entry it is about: its index in the log; undefined where it is about none. */
  readonly index: number | undefined

  constructor(reason: AuditProofReason, index?: number) {
    super(AUDIT_PROOF_REASONS[reason])
    this.reason = reason
    this.index = index
  }
}
