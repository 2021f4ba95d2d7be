/**
 * Distinguished names (RFC 5280 §4.1.2.4, RFC 4514), compared by structure and never as text: `CN=a,O=b` and a common name that
 * reads `a,O=b` are two names.
 */

export interface NameAttribute {
  /** Object identifier. */
  readonly type: string
  /** Undefined where a certificate holds something else than text: such a value equals nothing. */
  readonly value: string | undefined
}

/** In the certificate's order, the most general first. A part has several attributes where they stand in one set. */
export type DistinguishedName = readonly (readonly NameAttribute[])[]

/** RFC 4514 §3. Everything else is written as its object identifier. */
const TYPES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    CN: '2.5.4.3',
    L: '2.5.4.7',
    ST: '2.5.4.8',
    O: '2.5.4.10',
    OU: '2.5.4.11',
    C: '2.5.4.6',
    STREET: '2.5.4.9',
    DC: '0.9.2342.19200300.100.1.25',
    UID: '0.9.2342.19200300.100.1.1',
  }),
)
const OBJECT_IDENTIFIER = /^[0-2](?:\.(?:0|[1-9]\d*))+$/
const MAX_LENGTH = 2048
/** A character, or an escaped one, which separates nothing. What has to be escaped and is not stops the reading. */
const TOKEN = /\\[0-9A-Fa-f]{2}|\\[ "#+,;<=>\\]|[^\\"<>;\0]/gu

/** Same parts in the same order; within a part the order is nobody's. Values are compared exactly. */
export function isSameName(one: DistinguishedName, other: DistinguishedName): boolean {
  return one.length === other.length && one.every((part, at) => isSamePart(part, other[at] ?? []))
}

/**
 * Reads the text form (RFC 4514 §3), which begins with the most specific part. Spaces around separators are no part of a value.
 * Undefined where it is none, is empty, or has a value in hexadecimal.
 */
export function parseDistinguishedName(text: string): DistinguishedName | undefined {
  const tokens = text.match(TOKEN) ?? []
  if (text === '' || text.length > MAX_LENGTH || tokens.join('') !== text) return undefined
  const parts = splitAt(tokens, ',').map((part) => splitAt(part, '+').map(readAttribute))
  if (parts.some((part) => part.includes(undefined))) return undefined
  // RFC 4514 §2.1: the text begins with the last part of the name.
  return parts.map((part) => part.filter((attribute) => attribute !== undefined)).reverse()
}

function readAttribute(tokens: readonly string[]): NameAttribute | undefined {
  const equals = tokens.indexOf('=')
  const written = tokens.slice(0, Math.max(equals, 0)).join('').trim().toUpperCase()
  const type = OBJECT_IDENTIFIER.test(written) ? written : TYPES.get(written)
  const value = trim(tokens.slice(equals + 1))
  // RFC 4514 §2.4: `#` begins the encoding of what is no text.
  if (equals === -1 || type === undefined || value.length === 0 || value[0] === '#')
    return undefined
  const bytes = Uint8Array.from(value.flatMap(bytesOf))
  const read = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  return read.includes('\uFFFD') ? undefined : { type, value: read }
}

/** RFC 4514 §2.4: an escaped pair of digits is one byte of UTF-8, any other escaped character is itself. */
function bytesOf(token: string): readonly number[] {
  if (token.startsWith('\\') && token.length === 3) return [Number.parseInt(token.slice(1), 16)]
  return [...new TextEncoder().encode(token.startsWith('\\') ? token.slice(1) : token)]
}

function splitAt(tokens: readonly string[], separator: string): readonly (readonly string[])[] {
  const parts: string[][] = [[]]
  for (const token of tokens) {
    if (token === separator) parts.push([])
    else parts.at(-1)?.push(token)
  }
  return parts
}

function trim(tokens: readonly string[]): readonly string[] {
  const first = tokens.findIndex((token) => token !== ' ')
  const last = tokens.findLastIndex((token) => token !== ' ')
  return first === -1 ? [] : tokens.slice(first, last + 1)
}

function isSamePart(one: readonly NameAttribute[], other: readonly NameAttribute[]): boolean {
  if (one.length !== other.length || one.length === 0) return false
  const [ours, theirs] = [sorted(one), sorted(other)]
  return ours.every(({ type, value }, at) => {
    const counterpart = theirs[at]
    return value !== undefined && type === counterpart?.type && value === counterpart.value
  })
}

function sorted(part: readonly NameAttribute[]): readonly NameAttribute[] {
  const keyOf = ({ type, value = '' }: NameAttribute): string => `${type}=${value}`
  return part.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}
