/**
 * @actchain/verifier/audit: proofs about an audit log, for whoever does not want to take its server's word. Needs no server and
 * no network.
 */
export { AUDIT_PROOF_REASONS, AuditProofError, type AuditProofReason } from './audit-proof-error.ts'
export {
  type Checkpoint,
  formatCheckpoint,
  logOrigin,
  parseCheckpoint,
  verifyCheckpoint,
} from './checkpoint.ts'
export {
  type Cosignature,
  cosignedText,
  stampedSignature,
  verifyCosignature,
} from './cosignature.ts'
export {
  type EvidenceReport,
  type EvidenceTrust,
  type ProvenEntry,
  type ProvenText,
  verifyEvidence,
} from './evidence.ts'
export {
  EVIDENCE_FORMAT,
  type EvidenceBundle,
  type EvidenceEntry,
  type EvidenceText,
  type EvidenceVersion,
} from './evidence-bundle.ts'
export { formatNote, formatSignature, type Note, type NoteSignature, parseNote } from './note.ts'
export {
  type Consistency,
  type Inclusion,
  leafHash,
  verifyConsistency,
  verifyInclusion,
} from './tree-proof.ts'
export { formatVkey, type KeyType, type NoteKey, parseVkey } from './vkey.ts'
