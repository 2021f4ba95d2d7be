/**
 * Verifier keys: `{name}+{key id}+{base64 of type and public key}`. Of the types there are, those with Ed25519 keys.
 * Spec: https://c2sp.org/signed-note, https://c2sp.org/tlog-cosignature
 */
import { AuditProofError } from './audit-proof-error.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { joined, sha256, utf8 } from './bytes.ts'
import { hexOf, isKeyName } from './note.ts'

/** What a key signs: a note's text, or that it saw a checkpoint at a time. */
export type KeyType = 'ed25519' | 'cosignature/v1'

export interface NoteKey {
  readonly name: string
  /** 8 hex digits: names the key within a note, and proves nothing. */
  readonly id: string
  readonly type: KeyType
  /** 32 octets (RFC 8032 §5.1.5). */
  readonly publicKey: Uint8Array<ArrayBuffer>
}

const TYPE_OCTETS: Readonly<Record<KeyType, number>> = { ed25519: 0x01, 'cosignature/v1': 0x04 }
const PUBLIC_KEY_LENGTH = 32
/** Characters: room for a long name and any key of today. */
const MAX_LENGTH = 4096
const FORM = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u

/** Throws AuditProofError: `vkey_malformed`, `vkey_type_unsupported`. */
export async function parseVkey(vkey: string): Promise<NoteKey> {
  const [, name = '', id = '', base64 = ''] =
    vkey.length > MAX_LENGTH ? [] : (FORM.exec(vkey) ?? [])
  const encoded = decodeBase64(base64)
  if (encoded === undefined || !isKeyName(name)) throw new AuditProofError('vkey_malformed')
  const type = typeOf(encoded[0])
  if (type === undefined) throw new AuditProofError('vkey_type_unsupported')
  const publicKey = encoded.slice(1)
  // A wrong id would never match a signature of the key: better said here than as a missing signature.
  if (publicKey.length !== PUBLIC_KEY_LENGTH || id !== (await keyIdOf(name, type, publicKey)))
    throw new AuditProofError('vkey_malformed')
  return { name, id, type, publicKey }
}

/** Throws TypeError for what can be no name, or no public key of 32 octets. */
export async function formatVkey(
  name: string,
  type: KeyType,
  publicKey: Uint8Array,
): Promise<string> {
  if (!isKeyName(name)) throw new TypeError('not the name of a key')
  if (publicKey.length !== PUBLIC_KEY_LENGTH) throw new TypeError('not an Ed25519 public key')
  const id = await keyIdOf(name, type, publicKey)
  return `${name}+${id}+${encodeBase64(joined(Uint8Array.of(TYPE_OCTETS[type]), publicKey))}`
}

async function keyIdOf(name: string, type: KeyType, publicKey: Uint8Array): Promise<string> {
  const hash = await sha256(utf8(`${name}\n`), Uint8Array.of(TYPE_OCTETS[type]), publicKey)
  return hexOf(hash.subarray(0, 4))
}

function typeOf(octet: number | undefined): KeyType | undefined {
  const types = Object.keys(TYPE_OCTETS) as KeyType[]
  return types.find((type) => TYPE_OCTETS[type] === octet)
}
