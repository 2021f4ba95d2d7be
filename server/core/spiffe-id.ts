/**
 * SPIFFE IDs and trust domain names (SPIFFE-ID §2), read strictly: one spelling of each name, so that comparing is comparing
 * texts. Where the standard allows a second spelling (a scheme in upper case) it is refused, as go-spiffe does.
 */

const SCHEME = 'spiffe://'
/** SPIFFE-ID §2.3: so many have to be supported; more are refused. */
const MAX_BYTES = 2048
/** SPIFFE-ID §2.3. */
const MAX_TRUST_DOMAIN_BYTES = 255
/** SPIFFE-ID §2.1: no port, no userinfo, no percent-encoding. An IPv4 address is such a name too. */
const TRUST_DOMAIN = /^[a-z0-9._-]+$/
/** SPIFFE-ID §2.2. */
const SEGMENT = /^[A-Za-z0-9._-]+$/
const BENEATH = '/*'

export interface SpiffeId {
  readonly text: string
  readonly trustDomain: string
  /** Empty, or begins with a slash. Empty is the trust domain itself, never a workload. */
  readonly path: string
}

export function isTrustDomainName(text: string): boolean {
  return text.length <= MAX_TRUST_DOMAIN_BYTES && TRUST_DOMAIN.test(text)
}

/** Undefined where it is none. `text` may be attacker-chosen. */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  // What passes the tests below is ASCII, a byte a character.
  if (text.length > MAX_BYTES || !text.startsWith(SCHEME)) return undefined
  const slash = text.indexOf('/', SCHEME.length)
  const trustDomain = text.slice(SCHEME.length, slash === -1 ? undefined : slash)
  if (!isTrustDomainName(trustDomain)) return undefined
  const path = slash === -1 ? '' : text.slice(slash)
  return path === '' || isPath(path) ? { text, trustDomain, path } : undefined
}

/** Whether an agent may be registered so: a workload's id, or with `/*` at the end all ids beneath one. */
export function isSpiffePattern(text: string): boolean {
  const isBeneath = text.endsWith(BENEATH)
  const id = parseSpiffeId(isBeneath ? text.slice(0, -BENEATH.length) : text)
  // X509-SVID §3.1, JWT-SVID §3.1: a trust domain's own id is no workload's.
  return id !== undefined && (isBeneath || id.path !== '')
}

/**
 * Whether `pattern` names the id (draft-ietf-oauth-spiffe-client-auth §5.1): the same text, or with `/*` at its end any id that
 * has at least one more whole segment. A pattern that is none names nobody.
 */
export function matchesSpiffeId(pattern: string, id: SpiffeId): boolean {
  if (!isSpiffePattern(pattern)) return false
  if (!pattern.endsWith(BENEATH)) return pattern === id.text
  // Up to and with the slash; an id never ends in one, so a segment follows.
  return id.text.startsWith(pattern.slice(0, -1))
}

function isPath(path: string): boolean {
  return path
    .slice(1)
    .split('/')
    .every((segment) => SEGMENT.test(segment) && segment !== '.' && segment !== '..')
}
