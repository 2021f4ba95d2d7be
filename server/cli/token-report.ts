/**
 * What a delegated token says of itself (docs/chain-format.md §1), taken apart and not verified: anyone can have written
 * it. Reads any text without throwing; what cannot be read is left out and named in `faults`.
 */
import { readActors } from '../../lib/src/actors.ts'
import { readBounds } from '../../lib/src/bounds-form.ts'
import { readChain } from '../../lib/src/chain.ts'
import { readCompactJws } from '../../lib/src/compact-jws.ts'
import { isMask, scopeNames } from '../../lib/src/scope.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/src/strict-json.ts'

type Bounds = Exclude<ReturnType<typeof readBounds>, string>

/** One hop. Times in seconds since the epoch. */
export interface ReportedHop {
  readonly agent: string | undefined
  readonly audience: string | undefined
  /** What the hop may use or hand on; undefined when its mask names nothing on the root's list. */
  readonly scope: readonly string[] | undefined
  readonly reach: readonly string[] | undefined
  readonly jti: string
  readonly iat: number
  readonly exp: number
}

export interface TokenReport {
  readonly verified: false
  readonly bytes: number
  readonly typ: string | undefined
  readonly issuer: string | undefined
  readonly subject: string | undefined
  readonly audience: readonly string[]
  readonly client: string | undefined
  readonly scope: string | undefined
  readonly txn: string | undefined
  readonly iat: number | undefined
  readonly exp: number | undefined
  /** Confirmation members (RFC 7800 §3.1); empty for a bearer token. */
  readonly cnf: Readonly<Record<string, string>>
  /** Every actor of `act`, oldest first. */
  readonly actors: readonly string[]
  readonly root: ReportedRoot | undefined
  /** Oldest first. */
  readonly hops: readonly ReportedHop[]
  /** Rules of the format this text breaks, as far as they show without a key. */
  readonly faults: readonly string[]
}

export interface ReportedRoot {
  readonly basis: string
  readonly max_depth: number
  readonly scope: readonly string[]
  readonly reach: readonly string[]
  readonly iat: number
  readonly exp: number
}

/** Undefined when the text is no compact JWS of a JSON object. */
export function reportToken(token: string): TokenReport | undefined {
  const jws = readCompactJws(token)
  if (jws === undefined) return undefined
  const claims = jws.payload
  const bounds = readBounds(claims)
  const actors = (readActors(claims['act']) ?? []).map(({ sub }) => sub ?? '(no name)').reverse()
  const reading = readChain(claims)
  return {
    verified: false,
    bytes: token.length,
    typ: jws.header.typ,
    issuer: text(claims['iss']),
    subject: text(claims['sub']),
    audience: texts(claims['aud']),
    client: text(claims['client_id']),
    scope: text(claims['scope']),
    txn: text(claims['txn']),
    iat: number(claims['iat']),
    exp: number(claims['exp']),
    cnf: confirmation(claims['cnf']),
    actors,
    root: typeof bounds === 'string' ? undefined : bounds.root,
    hops: typeof bounds === 'string' ? [] : reportHops(bounds, actors, text(claims['sub'])),
    faults: reading.ok ? [] : [reading.reason],
  }
}

/** Hops and actors belong together from the newest down; with basis `client` the oldest hop is the subject's own. */
function reportHops(
  { root, hops }: Bounds,
  actors: readonly string[],
  subject: string | undefined,
): readonly ReportedHop[] {
  const holders = root.basis === 'client' ? [subject, ...actors] : actors
  return hops.toReversed().map((hop, at) => ({
    agent: holders[at],
    audience: root.reach[hop.aud],
    scope: named(root.scope, hop.scope),
    reach: named(root.reach, hop.reach),
    jti: hop.jti,
    iat: root.iat + hop.iat,
    exp: root.iat + hop.exp,
  }))
}

function named(list: readonly string[], mask: number): readonly string[] | undefined {
  return isMask(mask, list.length) ? scopeNames(list, mask) : undefined
}

function confirmation(cnf: JsonValue | undefined): Readonly<Record<string, string>> {
  if (!isJsonObject(cnf)) return {}
  const members: JsonObject = cnf
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value] as const] : [],
    ),
  )
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function texts(value: JsonValue | undefined): readonly string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : []
}

function number(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}
