/**
 * URLs we fetch from and URLs a proof is made for. A URL is compared after the normalisation of RFC 3986 §6.2.2 and
 * §6.2.3, and fetched only over https (or from this machine, where the caller said so).
 */

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])

export interface UrlRules {
  /** Plain http is fine for 127.0.0.1, [::1] and localhost; for development and tests. */
  readonly allowInsecureLoopback: boolean
}

/** The parsed URL when it may be trusted with this transport, else undefined. */
export function readTrustedUrl(text: unknown, rules: UrlRules): URL | undefined {
  if (typeof text !== 'string' || !URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.username !== '' || url.password !== '' || text.includes('#')) return undefined
  if (url.protocol === 'https:') return url
  const loopback = url.protocol === 'http:' && LOOPBACK.has(url.hostname)
  return loopback && rules.allowInsecureLoopback ? url : undefined
}

/** RFC 8414 §3.1, RFC 9728 §3.1: the well-known name goes between host and path, without a trailing slash. */
export function wellKnownUrl(identifier: string, name: string): string {
  const { origin, pathname, search } = new URL(identifier)
  return `${origin}/.well-known/${name}${pathname.replace(/\/$/, '')}${search}`
}

// What a URL parser would silently repair is refused instead, and so is user information, an empty one too (RFC 9110 §4.2.4).
const HTTP_URL = /^https?:\/\/(?!\/|[^/]*@)[\x21-\x5b\x5d-\x7e]+$/i

/**
 * RFC 9449 §4.3: scheme, host, port and path in normal form, without query and fragment; undefined for
 * anything but a plain http(s) URL.
 */
export function normalTarget(text: string): string | undefined {
  if (!HTTP_URL.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.origin + url.pathname.replace(/%[0-9a-f]{2}/gi, normalEscape)
}

function normalEscape(escape: string): string {
  const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
  return /[\w.~-]/.test(character) ? character : escape.toUpperCase()
}
