/**
 * What a SPIFFE trust domain signs with, read from its bundle (SPIFFE Trust Domain and Bundle §4). Entries that are not
 * understood are skipped, as the standard asks; one that no honest publisher writes refuses the whole (attack case K02).
 */
import { isUsableKey, type Material, PRIVATE_MEMBERS, publicMembers } from './key-set.ts'
import type { PublicJwk } from './tenant.ts'

/** What one trust domain signs with. Never merged with another's. */
export interface SpiffeBundle {
  /** Those with `use: jwt-svid`, each with a `kid` of its own; without `use`, which says nothing more. */
  readonly jwtKeys: readonly PublicJwk[]
  /** DER of the certificates with `use: x509-svid`. */
  readonly authorities: readonly Uint8Array[]
}

export interface StatedBundle extends SpiffeBundle {
  /** Seconds after which its publisher wants it read again. */
  readonly refreshHint: number | undefined
  readonly sequence: number | undefined
}

const MOST_ENTRIES = 256
const LONGEST_KID = 255
/** JWT-SVID §2.1: what the algorithms of a JWT-SVID are for, Ed25519 not among them. */
const SVID_KEYS: Material = new Map([
  ['EC P-256', ['x', 'y']],
  ['EC P-384', ['x', 'y']],
  ['EC P-521', ['x', 'y']],
  ['RSA', ['n', 'e']],
])
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** Undefined where the bundle is refused. An empty list of keys is a bundle that trusts nothing (§4.2.2). */
export function readSpiffeBundle(stated: unknown): StatedBundle | undefined {
  if (!isRecord(stated) || !Object.hasOwn(stated, 'keys')) return undefined
  const { keys: entries } = stated
  if (!Array.isArray(entries) || entries.length > MOST_ENTRIES) return undefined
  const jwtKeys: PublicJwk[] = []
  const authorities: Uint8Array[] = []
  const kids = new Set<string>()
  for (const entry of entries as readonly unknown[]) {
    if (!isRecord(entry) || PRIVATE_MEMBERS.some((member) => Object.hasOwn(entry, member))) {
      return undefined
    }
    // §4.2.2: of an unknown use, or of none, an entry is ignored; SPIFFE JWT-SVID §6.2, X.509-SVID §6.2.
    if (entry['use'] === 'jwt-svid') {
      const { kid } = entry
      if (typeof kid !== 'string' || kid === '' || kid.length > LONGEST_KID) continue
      // Which of the two is meant cannot be known.
      if (kids.has(kid)) return undefined
      kids.add(kid)
      if (isUsableKey(entry, SVID_KEYS)) jwtKeys.push(withoutUse(publicMembers(entry)))
    }
    if (entry['use'] === 'x509-svid') {
      const certificate = readCertificate(entry['x5c'])
      if (certificate === 'malformed') return undefined
      if (certificate !== undefined) authorities.push(certificate)
    }
  }
  return {
    jwtKeys,
    authorities,
    refreshHint: readCount(stated['spiffe_refresh_hint']),
    sequence: readCount(stated['spiffe_sequence']),
  }
}

/** SPIFFE X.509-SVID §6.2: the first value alone; an entry without one is ignored. */
function readCertificate(x5c: unknown): Uint8Array | 'malformed' | undefined {
  if (x5c === undefined || (Array.isArray(x5c) && x5c.length === 0)) return undefined
  const first: unknown = Array.isArray(x5c) ? x5c[0] : undefined
  // RFC 7517 §4.7: base64, not base64url.
  if (typeof first !== 'string' || first.length % 4 !== 0 || !BASE64.test(first)) return 'malformed'
  return Uint8Array.from(atob(first), (character) => character.charCodeAt(0))
}

function withoutUse(jwk: PublicJwk): PublicJwk {
  const { use: _, ...rest } = jwk
  return rest
}

function readCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
