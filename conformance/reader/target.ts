/**
 * The URL a proof is made for (RFC 9449 §4.3): an http(s) URI in the normal form of RFC 3986 §6.2.2 and §6.2.3, without query and
 * fragment.
 */

/** RFC 3986 appendix B, for the two schemes there are. */
const HTTP_URI = /^(https?):\/\/([^/?#]+)([^?#]*)(\?[^#]*)?(#.*)?$/i
/** No white space, no control character, and no backslash, which some readers take for a slash. */
const CHARACTERS = /^[!-[\]-~]+$/
const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 }

/** Undefined for anything that is not an absolute http or https URI with a host and without user information. */
export function normalTarget(uri: string): string | undefined {
  const [, name = '', authority = '', path = ''] = HTTP_URI.exec(uri) ?? []
  const [, host = '', digits] = /^(\[[^\]]*\]|[^:@]+)(?::([0-9]*))?$/.exec(authority) ?? []
  if (!CHARACTERS.test(uri) || host === '') return undefined
  const scheme = name.toLowerCase()
  const port = Number(digits === undefined || digits === '' ? DEFAULT_PORTS[scheme] : digits)
  const shownPort = port === DEFAULT_PORTS[scheme] ? '' : `:${port}`
  return `${scheme}://${normalEscapes(host).toLowerCase()}${shownPort}${normalPath(path)}`
}

/** Where a request came to, as clients see it: the configured origin, with the path of the request. */
export function targetOf(audience: string, url: string): string {
  const [origin = ''] = /^[^:]*:\/\/[^/?#]*/.exec(audience) ?? []
  const [, , , path = ''] = HTTP_URI.exec(url) ?? []
  return origin + (url.startsWith('/') ? url : path)
}

/** RFC 3986 §6.2.2.3, §5.2.4: dot segments lead where they lead. */
function normalPath(path: string): string {
  const kept: string[] = []
  const segments = normalEscapes(path).split('/').slice(1)
  for (const [at, segment] of segments.entries()) {
    if (segment === '..') kept.pop()
    if (segment !== '.' && segment !== '..') kept.push(segment)
    else if (at === segments.length - 1) kept.push('')
  }
  return `/${kept.join('/')}`
}

/** RFC 3986 §6.2.2.1, §6.2.2.2: unreserved characters are written as they are, other escapes in capitals. */
function normalEscapes(text: string): string {
  return text.replaceAll(/%[0-9A-Fa-f]{2}/g, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return /[A-Za-z0-9\-._~]/.test(character) ? character : escape.toUpperCase()
  })
}
