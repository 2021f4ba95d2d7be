/**
 * Checkpoints: a signed note that says how large a log is and what its tree's root is.
 * Spec: https://c2sp.org/tlog-checkpoint
 */
import { AuditProofError } from './audit-proof-error.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { parseNote } from './note.ts'
import { checkSignature, signatureOf } from './note-signature.ts'
import { parseVkey } from './vkey.ts'

export interface Checkpoint {
  /** Which log: its name, here the same as its key's. */
  readonly origin: string
  /** Leaves in the tree. */
  readonly size: number
  /** RFC 9162 §2.1.1, 32 octets. */
  readonly root: Uint8Array<ArrayBuffer>
}

/** The name of an issuer's log: the issuer without its scheme, and `/audit`. */
export const logOrigin = (issuer: string): string => `${issuer.replace(/^https?:\/\//, '')}/audit`

const SIZE = /^(?:0|[1-9][0-9]{0,15})$/
const ROOT_LENGTH = 32

/**
 * A checkpoint that the log with this key signed. Throws AuditProofError: those of `parseNote` and `parseVkey`,
 * `signature_missing`, `signature_invalid`, `checkpoint_malformed`, `origin_mismatch`.
 */
export async function verifyCheckpoint(signedNote: string, vkey: string): Promise<Checkpoint> {
  const key = await parseVkey(vkey)
  if (key.type !== 'ed25519') throw new AuditProofError('vkey_type_unsupported')
  const note = parseNote(signedNote)
  await checkSignature(key, note.text, signatureOf(note, key))
  const checkpoint = parseCheckpoint(note.text)
  // One key may sign for many logs under as many names, and the name is not signed: the origin is.
  if (checkpoint.origin !== key.name) throw new AuditProofError('origin_mismatch')
  return checkpoint
}

/** What a note's text says, whoever signed it. Throws AuditProofError `checkpoint_malformed`. */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.slice(0, -1).split('\n')
  const [origin = '', size = '', base64 = ''] = lines
  const root = decodeBase64(base64)
  // Lines after the third mean nothing here, but none of them is empty.
  const isWhole = text.endsWith('\n') && lines.every((line) => line !== '')
  const isSize = SIZE.test(size) && Number.isSafeInteger(Number(size))
  if (!isWhole || !isSize || root?.length !== ROOT_LENGTH)
    throw new AuditProofError('checkpoint_malformed')
  return { origin, size: Number(size), root }
}

/** The text that is signed. */
export function formatCheckpoint({ origin, size, root }: CheckpointFacts): string {
  return `${origin}\n${size}\n${encodeBase64(root)}\n`
}

export interface CheckpointFacts extends Omit<Checkpoint, 'root'> {
  readonly root: Uint8Array
}
