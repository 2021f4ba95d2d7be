/** Whether a key signed a note (RFC 8032 §5.1.7, C2SP signed-note and tlog-cosignature). */
import { AuditProofError } from './audit-proof-error.ts'
import { utf8 } from './bytes.ts'
import type { Note, NoteSignature } from './note.ts'
import type { NoteKey } from './vkey.ts'

/** The one signature of the key; those of any other are passed over. Throws AuditProofError `signature_missing`. */
export function signatureOf(note: Note, key: NoteKey): NoteSignature['signature'] {
  const found = note.signatures.find(({ name, keyId }) => name === key.name && keyId === key.id)
  if (found === undefined) throw new AuditProofError('signature_missing')
  return found.signature
}

/** Throws AuditProofError `signature_invalid`, and TypeError where the runtime has no Ed25519. */
export async function checkSignature(
  { publicKey }: NoteKey,
  text: string,
  signature: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const key = await importKey(publicKey)
  const holds =
    key !== undefined && (await crypto.subtle.verify('Ed25519', key, signature, utf8(text)))
  if (!holds) throw new AuditProofError('signature_invalid')
}

/** Undefined for octets that are no point of the curve. */
async function importKey(publicKey: NoteKey['publicKey']): Promise<CryptoKey | undefined> {
  try {
    return await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify'])
  } catch (error) {
    // An old browser says nothing about the signature.
    if (error instanceof DOMException && error.name === 'NotSupportedError')
      throw new TypeError('this runtime has no Ed25519')
    return undefined
  }
}
