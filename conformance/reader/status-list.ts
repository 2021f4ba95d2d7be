/**
 * Rule 6 of docs/chain-format.md §2, with its §4: the status list of the token's task (Token Status List), and what it says of
 * the root and of every hop. What cannot be known is an outcome of its own.
 */
import { inflateSync } from 'node:zlib'
import type { Case, Configuration } from '../vectors/vector.ts'
import type { Bounds } from './bounds.ts'
import { bytesOf, type Compact, hasType, readCompact } from './compact.ts'
import type { JsonObject } from './json.ts'
import { algorithmNamed, isSignedBy, type Key, keyFor, keysOf } from './key.ts'
import {
  firstBroken,
  isCount,
  isText,
  listAt,
  numberAt,
  objectAt,
  passes,
  type Sentence,
  textAt,
} from './sentence.ts'

const UNKNOWN = 'revocation_unknown'
/** Characters of a list as it is published, and bytes of its content. */
const LONGEST_LIST = 1_048_576
const MOST_BYTES = 16_777_216
/** Seconds that the issuer's clock may be ahead. */
const MOST_AHEAD = 5
const MOST_KEYS = 64
const FRESH_SECONDS = 10
const FRESH_SECONDS_OF_EXECUTE = 5
const VALID = 0
const SUSPENDED = 2

interface Published {
  readonly list: Compact
  readonly uri: string
  readonly key: Key | undefined
  readonly case: Case
}

const SENTENCES: readonly Sentence<Published>[] = [
  ['type', ({ list }) => hasType(list, 'statuslist+jwt')],
  ['algorithm', ({ list, case: c }) => isAccepted(list, c.configuration)],
  ['issuer', ({ list, case: c }) => list.payload.get('iss') === c.configuration.issuer],
  ['key', ({ list, key }) => list.header.has('kid') && key !== undefined],
  ['signature', ({ list, key }) => key !== undefined && isSignedBy(list, key)],
  // Token Status List §8.3: it is good for the place it names.
  ['sub', ({ list, uri }) => list.payload.get('sub') === uri],
  [
    'iat',
    ({ list, case: c }) => {
      const iat = numberAt(list.payload, 'iat')
      return iat >= 0 && iat <= c.now + MOST_AHEAD
    },
  ],
  ['exp', ({ list }) => passes(list.payload, { exp: isCount, seq: isCount })],
  ['exp', ({ list, case: c }) => c.now < numberAt(list.payload, 'exp')],
  ['gen', ({ list }) => /^[0-9a-z]{1,16}$/.test(textAt(list.payload, 'gen'))],
  ['kids', ({ list }) => areKids(list)],
]

/** The reason why this chain, signed by the key of this name, does not stand now. */
export function statusFault(
  claims: JsonObject,
  { root, hops }: Bounds,
  kid: string | undefined,
  given: Case,
): string | undefined {
  const uri = textAt(objectAt(objectAt(claims, 'status'), 'status_list'), 'uri')
  const list = listOf(uri, given)
  const statuses = list && statusesOf(objectAt(list.payload, 'status_list'))
  if (list === undefined || statuses === undefined) return UNKNOWN
  const found = [root, ...hops].map(({ idx }) => statuses(idx))
  // Worst first. What is over is over, however old the list that says so; anything but valid, suspended or unknown is over.
  if (found.some((status) => ![undefined, VALID, SUSPENDED].includes(status)))
    return 'token_revoked'
  const isFresh = given.now - numberAt(list.payload, 'iat') <= boundOf(given.configuration)
  if (!isFresh) return UNKNOWN
  if (found.includes(SUSPENDED)) return 'token_suspended'
  if (found.includes(undefined)) return UNKNOWN
  // §4: `kids` are the keys there are. One that is not named was taken back.
  const kids = listAt(list.payload, 'kids')
  return !list.payload.has('kids') || kids.some((name) => name === kid) ? undefined : 'key_unknown'
}

/** The list published at this URI, if it is the issuer's and holds. */
function listOf(uri: string, given: Case): Compact | undefined {
  const home = `${given.configuration.issuer}/status/`
  const isOurs = uri.startsWith(home) && /^[A-Za-z0-9_-]{1,128}$/.test(uri.slice(home.length))
  const published = given.status_lists.find((list) => list.uri === uri)
  if (!isOurs || published === undefined) return undefined
  const list = readCompact(published.token, LONGEST_LIST)
  if (list === undefined) return undefined
  const key = keyFor(list, keysOf(given.jwks))
  return firstBroken({ list, uri, key, case: given }, SENTENCES) === undefined ? list : undefined
}

/** The issuer's `alg` names an algorithm this resource takes. */
export function isAccepted({ header }: Compact, { algorithms }: Configuration): boolean {
  const named = algorithmNamed(textAt(header, 'alg'))
  return named !== undefined && (algorithms?.includes(named) ?? true)
}

/** If there, 1 to 64 names, of which one is the signer's. */
function areKids({ header, payload }: Compact): boolean {
  if (!payload.has('kids')) return true
  const kids = listAt(payload, 'kids')
  const isSigner = kids.some((name) => name === header.get('kid'))
  return isSigner && kids.length <= MOST_KEYS && kids.every(isText)
}

/** Scopes the route asks for. */
export function wantedScope({ required_scope, handover }: Configuration): readonly string[] {
  return handover === true || required_scope === undefined ? [] : required_scope.split(' ')
}

/** How old a list may be for what the route asks. */
function boundOf(configuration: Configuration): number {
  const { freshness = FRESH_SECONDS, execute_scopes = [] } = configuration
  const wanted = wantedScope(configuration)
  const isExecute = execute_scopes.some((name) => wanted.includes(name))
  return isExecute ? Math.min(FRESH_SECONDS_OF_EXECUTE, freshness) : freshness
}

/** Token Status List §4.1: a status of so many bits for each index, the first in the lowest bits; undefined past the end. */
function statusesOf(content: JsonObject): ((index: number) => number | undefined) | undefined {
  const bits = numberAt(content, 'bits')
  const bytes = inflated(textAt(content, 'lst'))
  if (![1, 2, 4, 8].includes(bits) || bytes === undefined) return undefined
  return (index) => {
    const first = index * bits
    const byte = bytes[Math.floor(first / 8)]
    return byte === undefined ? undefined : Math.floor(byte / 2 ** (first % 8)) % 2 ** bits
  }
}

/** What `info` makes of the answer. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

function inflated(text: string): Buffer | undefined {
  const packed = bytesOf(text)
  if (packed === undefined) return undefined
  try {
    const options = { maxOutputLength: MOST_BYTES, info: true }
    const { buffer, engine } = inflateSync(packed, options) as unknown as Inflated
    // RFC 1950 §2.2: it ends with its checksum.
    return engine.bytesWritten === packed.length ? buffer : undefined
  } catch {
    return undefined
  }
}
