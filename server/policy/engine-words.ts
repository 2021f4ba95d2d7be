/** Turns what the engine says of a policy into one sentence with a place. Its words quote the policy, so all are escaped. */
import type { DetailedError } from '@cedar-policy/cedar-wasm/nodejs'
import { quote } from '../core/problem.ts'
import { findNearest } from '../core/suggestion.ts'

export interface EngineFinding {
  readonly text: string
  readonly suggestion: string | undefined
  /** UTF-16 units from the beginning of the policy. */
  readonly at: number
}

const PREFIXES =
  /^(?:failed to parse policy (?:with id `[^`]*` )?from string: |for policy `[^`]*`, )/
const QUOTED = /`([^`]*)`/g
const NAME = /^((?:[A-Za-z_][A-Za-z0-9_]*::)*)"([^"\\]*)"$/
/** Cedar's own words, for the messages that come without a suggestion or with a random one. */
const WORDS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/is neither permit nor forbid$/, ['permit', 'forbid']],
  [/is not a valid function$/, ['datetime', 'duration', 'decimal', 'ip']],
  [
    /is not a valid method$/,
    'contains containsAll containsAny isEmpty hasTag getTag offset durationSince toDate toTime'.split(
      ' ',
    ),
  ],
]
/** More alternatives than that are no help. */
const MOST_EXPECTED = 4

/** `skipped`: bytes of what stood before the policy in the text the engine was given. */
export function readEngineError(policy: string, error: DetailedError, skipped = 0): EngineFinding {
  const message = error.message
    .replace(PREFIXES, '')
    .replace(/^invalid policy effect: (.*)$/, '`$1` is neither permit nor forbid')
  const { start, piece } = locate(policy, error, skipped)
  // The engine points at `context.scope.teir`; what is wrong is its last name.
  const named = /^(?:unable .* optional )?attribute `([^`]+)`|^`([^`]+)` is not a valid /.exec(
    message,
  )
  const inside = named === null ? -1 : piece.lastIndexOf(named[1] ?? named[2] ?? '')
  return {
    text: sentence(message, { error, piece }),
    suggestion: suggestionOf(message, error.help),
    at: start + Math.max(0, inside),
  }
}

function sentence(
  message: string,
  { error, piece }: { readonly error: DetailedError; readonly piece: string },
): string {
  const parts = [message.includes('`') || piece === '' ? message : `${message} at \`${piece}\``]
  const expected = error.sourceLocations?.[0]?.label ?? ''
  if (expected.startsWith('expected ') && expected.split('`').length <= 2 * MOST_EXPECTED + 1) {
    parts.push(expected)
  }
  const help = (error.help ?? '').replace(PREFIXES, '')
  if (help !== '' && !/^(?:did you mean|effect must)/.test(help)) parts.push(help)
  return parts.map(readable).join('; ')
}

/** What stands between backticks is quoted; any other character that is not printable ASCII becomes `?`. */
function readable(words: string): string {
  const quoted = words.replace(QUOTED, (_, name: string) => quoteName(name))
  return quoted.replace(/[^\x20-\x7e]/gu, '?')
}

/** The engine writes a text as `"x"` and an entity as `Agent::"x"`. */
function quoteName(name: string): string {
  const [, type = '', id] = NAME.exec(name) ?? []
  return id === undefined ? quote(name) : `${type}${quote(id)}`
}

/** The engine suggests the nearest name however far it is, and none for methods. */
function suggestionOf(message: string, help: string | null): string | undefined {
  const written = /`([^`]+)`/.exec(message)?.[1]
  if (written === undefined) return undefined
  const name = NAME.exec(written)?.[2] ?? written
  for (const [about, words] of WORDS) if (about.test(message)) return findNearest(name, words)
  const suggested = /^did you mean `([^`]+)`/.exec(help ?? '')?.[1]
  return suggested === undefined
    ? undefined
    : findNearest(name, [NAME.exec(suggested)?.[2] ?? suggested])
}

/** The engine counts bytes of UTF-8. */
function locate(
  policy: string,
  error: DetailedError,
  skipped: number,
): { readonly start: number; readonly piece: string } {
  const label = error.sourceLocations?.[0]
  if (label === undefined) return { start: 0, piece: '' }
  const bytes = Buffer.from(policy)
  const [from, to] = [label.start - skipped, label.end - skipped]
  const start = bytes.subarray(0, Math.max(0, from)).toString().length
  const piece = bytes.subarray(Math.max(0, from), Math.max(0, to)).toString()
  // Of the whole policy: no piece of it.
  return { start, piece: piece.length === policy.length ? '' : piece }
}
