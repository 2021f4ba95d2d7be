/**
 * Tasks for people: a line in a list; the tree of places, with what each may still do. All text is escaped: a purpose is an
 * agent's own words.
 */
import { isJsonObject, type JsonObject } from '../../lib/src/strict-json.ts'
import { textOf, textsOf } from './admin-answer.ts'
import { escaped } from './print.ts'

/** One line. */
export function taskLine(task: JsonObject): string {
  const purpose = textOf(task, 'purpose')
  const columns = [
    textOf(task, 'txn'),
    textOf(task, 'state')?.padEnd(9),
    textOf(task, 'opened_at'),
    textOf(task, 'type'),
    `${textOf(task, 'opener')} for ${textOf(task, 'subject')}`,
    purpose === undefined ? undefined : `"${purpose}"`,
  ]
  return escaped(columns.filter((column) => column !== undefined).join('  '))
}

/** `now`: seconds since the epoch. */
export function taskText(task: JsonObject, now: number): string {
  const subject = textOf(task, 'subject') ?? ''
  const places = objectsOf(task['places'])
  return [
    escaped(`task ${textOf(task, 'txn')} is ${textOf(task, 'state')}`),
    ...factsText(task, now),
    '',
    ...places.flatMap((place) => placeText(place, { subject, now })),
  ].join('\n')
}

/** What the last change of its state was. */
const CHANGES: Readonly<Record<string, string>> = {
  open: 'resumed',
  suspended: 'suspended',
  closed: 'closed',
  revoked: 'revoked',
}

function factsText(task: JsonObject, now: number): readonly string[] {
  const deadline = textOf(task, 'deadline')
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['type', textOf(task, 'type')],
    ['subject', textOf(task, 'subject')],
    ['purpose', textOf(task, 'purpose')],
    ['opened', `${textOf(task, 'opened_at')} by ${textOf(task, 'opener')}`],
    ['deadline', deadline && `${deadline}, ${leftText(deadline, now)}`],
    [CHANGES[textOf(task, 'state') ?? ''] ?? 'changed', endingText(task['ending'])],
  ]
  return facts.flatMap(([name, value]) =>
    value === undefined ? [] : [`  ${name.padEnd(10)}${escaped(value)}`],
  )
}

interface Seen {
  readonly subject: string
  readonly now: number
}

function placeText(place: JsonObject, seen: Seen): readonly string[] {
  const agents = textsOf(place, 'place')
  const tokens = objectsOf(place['tokens'])
  const indent = '  '.repeat(Math.max(agents.length - 1, 0))
  const who = `${agents.at(-1)} for ${agents.at(-2) ?? seen.subject}`
  return [
    `${indent}${escaped(`${who}: ${leftAt(place, tokens, seen.now)}`)}`,
    ...tokens.map((token) => `${indent}    ${escaped(tokenLine(token, seen.now))}`),
  ]
}

/** What may still be done there, or why nothing may. */
function leftAt({ revoked }: JsonObject, tokens: readonly JsonObject[], now: number): string {
  const ending = endingText(revoked)
  if (ending !== undefined) return `revoked ${ending}`
  const live = tokens.filter((token) => textOf(token, 'state') === 'live')
  const ends = live.flatMap((token) => textOf(token, 'expires_at') ?? []).sort()
  const last = ends.at(-1)
  if (last === undefined) {
    const isSuspended = tokens.some((token) => textOf(token, 'state') === 'suspended')
    return isSuspended ? 'suspended' : 'nothing left'
  }
  const scope = new Set(live.flatMap((token) => textsOf(token, 'scope')))
  return `${[...scope].join(' ')}, ${leftText(last, now)}`
}

function tokenLine(token: JsonObject, now: number): string {
  const state = textOf(token, 'state') ?? ''
  const end = textOf(token, 'expires_at')
  const left = state === 'live' && end !== undefined ? leftText(end, now) : ''
  return [
    textOf(token, 'jti'),
    state.padEnd(9),
    `at ${textOf(token, 'audience')}`,
    textsOf(token, 'scope').join(' '),
    left,
  ]
    .filter((column) => column !== '')
    .join('  ')
}

/** When, by whom and why; undefined where nothing ended. */
function endingText(ending: unknown): string | undefined {
  if (!isJsonObject(ending)) return undefined
  const [at, by, reason] = ['at', 'by', 'reason'].map((name) => textOf(ending, name))
  return `${at} by ${by}: ${reason}`
}

function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

/** How long until an instant, in the two largest units. */
function leftText(instant: string, now: number): string {
  const seconds = Math.floor(Date.parse(instant) / 1000) - now
  if (!(seconds > 0)) return 'none left'
  const units: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ]
  const first = units.findIndex(([count]) => count > 0)
  const text = units.slice(first, first + 2).filter(([count]) => count > 0)
  return `${text.map(([count, unit]) => `${count} ${unit}`).join(' ')} left`
}
