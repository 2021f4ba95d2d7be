/**
 * Cosignatures: another party says that it saw this checkpoint, at a time, and that every later one it saw went on from it.
 * Spec: https://c2sp.org/tlog-cosignature (cosignature/v1, Ed25519)
 */
import { AuditProofError } from './audit-proof-error.ts'
import { joined } from './bytes.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { parseNote } from './note.ts'
import { checkSignature, signatureOf } from './note-signature.ts'
import { parseVkey } from './vkey.ts'

export interface Cosignature {
  /** The witness's key. */
  readonly name: string
  /** When it was made, as the witness says: seconds since the epoch. */
  readonly time: number
}

const TIME_LENGTH = 8
const SIGNATURE_LENGTH = 64

/**
 * What the witness with this key says of the checkpoint. Throws AuditProofError: those of `parseNote` and `parseVkey`,
 * `checkpoint_malformed`, `signature_missing`, `signature_invalid`.
 */
export async function verifyCosignature(signedNote: string, vkey: string): Promise<Cosignature> {
  const key = await parseVkey(vkey)
  if (key.type !== 'cosignature/v1') throw new AuditProofError('vkey_type_unsupported')
  const note = parseNote(signedNote)
  parseCheckpoint(note.text)
  const stamped = signatureOf(note, key)
  const time = readTime(stamped)
  if (time === undefined) throw new AuditProofError('signature_invalid')
  await checkSignature(key, cosignedText(note.text, time), stamped.slice(TIME_LENGTH))
  return { name: key.name, time }
}

/** What a witness signs. `time`: whole seconds since the epoch. */
export function cosignedText(checkpoint: string, time: number): string {
  return `cosignature/v1\ntime ${time}\n${checkpoint}`
}

/** What stands in a note's signature line after the key id. `signature`: over `cosignedText`, 64 octets. */
export function stampedSignature(time: number, signature: Uint8Array): Uint8Array<ArrayBuffer> {
  const stamp = new Uint8Array(TIME_LENGTH)
  new DataView(stamp.buffer).setBigUint64(0, BigInt(time))
  return joined(stamp, signature)
}

/** Undefined for what is no cosignature, or of a time no number can say exactly. */
function readTime(stamped: Uint8Array<ArrayBuffer>): number | undefined {
  if (stamped.length !== TIME_LENGTH + SIGNATURE_LENGTH) return undefined
  const time = Number(new DataView(stamped.buffer, stamped.byteOffset).getBigUint64(0))
  return Number.isSafeInteger(time) ? time : undefined
}
