/**
 * Signed notes: a text, an empty line, and a line for each signature. Nothing here verifies: a note that parses says nothing
 * yet. Spec: https://c2sp.org/signed-note
 */
import { AuditProofError } from './audit-proof-error.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { joined } from './bytes.ts'

export interface Note {
  /** What is signed, its last line end included. */
  readonly text: string
  /** In the order they stand in; each of another key. Unknown keys' are among them. */
  readonly signatures: readonly NoteSignature[]
}

export interface NoteSignature {
  readonly name: string
  /** 8 hex digits; a key is named by both. */
  readonly keyId: string
  /** What follows the key id: what it is, the key's type says. */
  readonly signature: Uint8Array<ArrayBuffer>
}

/** Characters: 64 signatures of the largest kind fit (ML-DSA-44, 3.3 kB in base64). */
const MAX_LENGTH = 256 * 1024
const MAX_SIGNATURES = 64
const KEY_ID_LENGTH = 4

/** Control characters other than the line end, and halves of a surrogate pair, which UTF-8 cannot have. */
const REFUSED_CHARACTERS = /[^\n -\u{10ffff}]|\p{Surrogate}/u
const SIGNATURE_START = '\u2014 '
const NAME_REFUSED = /[\p{White_Space}+]/u

/** Throws AuditProofError: `note_too_large`, `note_malformed`, `note_signature_repeated`. */
export function parseNote(note: string): Note {
  if (note.length > MAX_LENGTH) throw new AuditProofError('note_too_large')
  // The text may have empty lines: it ends at the last one.
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n') || REFUSED_CHARACTERS.test(note)) throw malformed()
  const lines = note.slice(end + 2, -1).split('\n')
  if (lines.length > MAX_SIGNATURES) throw new AuditProofError('note_too_large')
  const signatures = lines.map(parseSignature)
  const keys = new Set(signatures.map(({ name, keyId }) => `${name} ${keyId}`))
  if (keys.size < signatures.length) throw new AuditProofError('note_signature_repeated')
  return { text: note.slice(0, end + 1), signatures }
}

/** Not empty, without white space and `+`. */
export function isKeyName(name: string): boolean {
  return name !== '' && !NAME_REFUSED.test(name) && !REFUSED_CHARACTERS.test(name)
}

/** The text with the signatures below it. */
export function formatNote({ text, signatures }: Note): string {
  return `${text}\n${signatures.map((signature) => `${formatSignature(signature)}\n`).join('')}`
}

/** One signature line, without its end. */
export function formatSignature({ name, keyId, signature }: NoteSignature): string {
  const id = Uint8Array.from({ length: KEY_ID_LENGTH }, (_, at) =>
    Number.parseInt(keyId.slice(at * 2, at * 2 + 2), 16),
  )
  return `${SIGNATURE_START}${name} ${encodeBase64(joined(id, signature))}`
}

function parseSignature(line: string): NoteSignature {
  if (!line.startsWith(SIGNATURE_START)) throw malformed()
  const space = line.indexOf(' ', SIGNATURE_START.length)
  const name = line.slice(SIGNATURE_START.length, space)
  const bytes = space < 0 ? undefined : decodeBase64(line.slice(space + 1))
  if (bytes === undefined || bytes.length <= KEY_ID_LENGTH || !isKeyName(name)) throw malformed()
  return {
    name,
    keyId: hexOf(bytes.subarray(0, KEY_ID_LENGTH)),
    signature: bytes.slice(KEY_ID_LENGTH),
  }
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join('')
}

function malformed(): AuditProofError {
  return new AuditProofError('note_malformed')
}
