/**
 * URIs are compared as exact strings from here on (RFC 8707 §2, RFC 8414 §2), so only one spelling of each is let
 * in: the one a URL parser would write.
 */

/** Tokens carry up to 31 of them. */
const LONGEST = 255
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])

/** What is wrong with a URI of a resource, an issuer or a key set; undefined if nothing is. */
export function findUriFault(uri: string): string | undefined {
  if (!/^[\x21-\x7e]+$/.test(uri)) return 'expected an absolute https URI in printable ASCII'
  if (uri.length > LONGEST) return `a URI has at most ${LONGEST} characters`
  if (!URL.canParse(uri)) return 'expected an absolute https URI'
  const url = new URL(uri)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return 'expected an absolute https URI'
  }
  if (url.protocol === 'http:' && !LOOPBACK_HOSTS.has(url.hostname)) {
    return 'http is accepted for loopback hosts only; use https'
  }
  if (url.username !== '' || url.password !== '') return 'a URI has no user name or password here'
  // RFC 8707 §2: the value MUST NOT include a fragment component.
  if (uri.includes('#')) return 'a URI has no fragment here'
  if (url.href !== uri && url.href !== `${uri}/`) return 'not in canonical form'
  return undefined
}

/** The spelling to suggest for a URI that is not in canonical form. */
export function findCanonicalUri(uri: string): string | undefined {
  if (!URL.canParse(uri)) return undefined
  const url = new URL(uri)
  // The rest of a URI with a password in it is not repeated.
  return url.username === '' && url.password === '' && url.hash === '' ? url.href : undefined
}

/** RFC 8414 §2: an issuer has no query or fragment. */
export function findIssuerFault(issuer: string): string | undefined {
  return findUriFault(issuer) ?? (issuer.includes('?') ? 'an issuer has no query' : undefined)
}

/** Two URIs that differ by a slash at the end are one place to most servers. */
export function withoutSlash(uri: string): string {
  return uri.endsWith('/') ? uri.slice(0, -1) : uri
}

/** The issuer of a tenant of this server. */
export function issuerOf({
  id,
  publicUrl,
}: {
  readonly id: string
  readonly publicUrl: string
}): string {
  return `${withoutSlash(publicUrl)}/t/${id}`
}

/** Whether `uri` lies at or under `base`. */
export function isUnder(uri: string, base: string): boolean {
  const root = withoutSlash(base)
  return withoutSlash(uri) === root || uri.startsWith(`${root}/`) || uri.startsWith(`${root}?`)
}
