/**
 * What the issuer says in public and signs: status lists and messages of its feed. Checked as strictly as a token, and by the
 * same keys; whoever carries it has no say in it.
 */
import { readCompactJws } from '../compact-jws.ts'
import { readAlgorithm, verifySignature } from '../public-key.ts'
import type { RevocationDeps } from '../revocation.ts'
import type { JsonObject, JsonValue } from '../strict-json.ts'
import { type Clock, MAX_AHEAD_SECONDS } from './freshness.ts'
import { startTimer } from './timer.ts'

/** Said in plain words; it quotes nothing of the statement. */
export class StatementRefused extends Error {}

export interface Statement {
  readonly claims: JsonObject
  /** Whose signature it has. */
  readonly kid: string
  readonly iat: number
}

export interface StatementRules {
  /** Exact, but for the prefix RFC 7515 §4.1.9 lets a `typ` leave out. */
  readonly typ: string
  /** Characters. */
  readonly maxLength: number
}

const GENERATION = /^[0-9a-z]{1,16}$/

/** `gen`: names the store whose numbers a statement has. Throws StatementRefused. */
export function readGeneration(value: JsonValue | undefined): string {
  if (typeof value === 'string' && GENERATION.test(value)) return value
  throw new StatementRefused('it does not say whose numbers it has')
}

/** Throws StatementRefused, or another Error where the issuer's keys cannot be had. */
export async function readStatement(
  { issuer, algorithms, keys }: RevocationDeps,
  clock: Clock,
  text: string,
  { typ, maxLength }: StatementRules,
): Promise<Statement> {
  const jws = readCompactJws(text, { maxLength })
  if (jws === undefined) throw new StatementRefused(`no ${typ}`)
  const { header, payload: claims } = jws
  if (header.typ?.toLowerCase().replace(/^application\//, '') !== typ)
    throw new StatementRefused(`not of type ${typ}`)
  const algorithm = readAlgorithm(header.alg)
  if (algorithm === undefined || !algorithms.includes(algorithm))
    throw new StatementRefused('the signature algorithm is refused')
  // F05: before any key is looked for. Another tenant's statement is good, and none of ours.
  if (claims['iss'] !== issuer) throw new StatementRefused('of another issuer')
  const { kid } = header
  if (kid === undefined) throw new StatementRefused('it names no key')
  let key = await keys.find(kid, algorithm)
  if (typeof key === 'string') {
    // Only the issuer's own address leads here, so the keys may be read again sooner than for a token (K04). A key may be as
    // new as the last reading, so where that was just now a second is waited.
    if (!(await keys.refresh())) {
      await new Promise<void>((resolve) => startTimer(resolve, 1))
      await keys.refresh()
    }
    key = await keys.find(kid, algorithm)
  }
  // An outage of ours is no fault of the statement.
  if (key === 'unavailable') throw new Error('the keys of the issuer cannot be read')
  if (key === 'unknown') throw new StatementRefused('its signing key is not known')
  if (!(await verifySignature(key, jws.signingInput, jws.signature)))
    throw new StatementRefused('its signature does not verify')
  const { iat } = claims
  if (typeof iat !== 'number' || !Number.isFinite(iat) || iat < 0)
    throw new StatementRefused('its time is no time')
  if (iat > clock.now() + MAX_AHEAD_SECONDS) throw new StatementRefused('it is from the future')
  return { claims, kid, iat }
}

/** A list id, as it stands in a URI: nothing that a URL parser could walk with. */
const LIST_ID = /^[\w-]{1,128}$/

/** True for a list directly under this issuer: `{issuer}/status/{list}`. Nothing else is ever fetched. */
export function isListUri(issuer: string, uri: string): boolean {
  const prefix = `${issuer}/status/`
  return uri.startsWith(prefix) && LIST_ID.test(uri.slice(prefix.length))
}
