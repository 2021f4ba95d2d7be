/** The compact form of a JWS (RFC 7515 §7.1), in the one spelling there is of it. */
import { type JsonObject, readObject } from './json.ts'
import { isFilledText, isText, optional, passes, textAt } from './sentence.ts'

/** A signed text, whatever it is that was signed. */
export interface Signed {
  readonly header: JsonObject
  readonly content: Buffer
  /** The text that is signed (RFC 7515 §5.1). */
  readonly signed: string
  readonly signature: Buffer
}

export interface Compact extends Signed {
  readonly payload: JsonObject
}

const LONGEST_KID = 256
const EXTENSIONS = ['crit', 'b64']

/** Undefined where the text is longer than `longest`, or is no signed JSON object in canonical form. */
export function readCompact(text: string, longest: number): Compact | undefined {
  const form = text.length > longest ? undefined : readSigned(text)
  const payload = form && readObject(form.content)
  return form && payload && { ...form, payload }
}

/** Three canonical parts, of which the first is a header. */
export function readSigned(text: string): Signed | undefined {
  const parts = text.split('.').map(bytesOf)
  const [first, content, signature] = parts
  if (parts.length !== 3 || first === undefined || content === undefined || signature === undefined)
    return undefined
  const header = readObject(first)
  if (header === undefined || !isHeader(header)) return undefined
  return { header, content, signed: text.slice(0, text.lastIndexOf('.')), signature }
}

/**
 * RFC 7515 §2: base64url without padding. A text is canonical exactly if encoding what it stands for gives it back: no other
 * alphabet, no white space, no padding, no bits after the last byte.
 */
export function bytesOf(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return text !== '' && bytes.toString('base64url') === text ? bytes : undefined
}

function isHeader(header: JsonObject): boolean {
  // RFC 7515 §4.1.11, RFC 7797 §6: nothing that has to be understood is understood here.
  if (EXTENSIONS.some((name) => header.has(name))) return false
  const types = { alg: isFilledText, kid: optional(isText), typ: optional(isText) }
  return passes(header, types) && textAt(header, 'kid').length <= LONGEST_KID
}

/** RFC 7515 §4.1.9: a media type without regard to case, its `application/` left out or not. */
export function hasType({ header }: Signed, type: string): boolean {
  const [, name] = /^(?:application\/)?(.*)$/s.exec(textAt(header, 'typ').toLowerCase()) ?? []
  return name === type
}
