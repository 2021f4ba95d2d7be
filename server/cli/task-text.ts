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
  const places = placesOf(task)
  return [
    escaped(`task ${textOf(task, 'txn')} is ${textOf(task, 'state')}`),
    ...factsText(task, now),
    '',
    ...places.flatMap((place) => placeText(place, { subject, now })),
  ].join('\n')
}

function factsText(task: JsonObject, now: number): readonly string[] {
  const deadline = textOf(task, 'deadline')
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['type', textOf(task, 'type')],
    ['subject', textOf(task, 'subject')],
    ['purpose', textOf(task, 'purpose')],
    ['opened', `${textOf(task, 'opened_at')} by ${textOf(task, 'opener')}`],
    ['deadline', deadline && `${deadline}, ${leftText(deadline, now)}`],
    ['ended', endingText(task['ending'])],
  ]
  return facts.flatMap(([name, value]) =>
    value === undefined ? [] : [`  ${name.padEnd(10)}${escaped(value)}`],
  )
}

interface Place {
  readonly agents: readonly string[]
  readonly facts: JsonObject
  readonly tokens: readonly JsonObject[]
}

/** Each right before those beneath it. */
function placesOf(task: JsonObject): readonly Place[] {
  return objectsOf(task['places'])
    .map((facts) => ({
      agents: textsOf(facts, 'place'),
      facts,
      tokens: objectsOf(facts['tokens']),
    }))
    .toSorted((a, b) => compare(a.agents, b.agents))
}

function compare(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((agent, index) => agent !== b[index])
  const [one, other] = [a[at], b[at]]
  if (one === undefined) return a.length - b.length
  return other === undefined || one > other ? 1 : -1
}

interface Seen {
  readonly subject: string
  readonly now: number
}

function placeText({ agents, facts, tokens }: Place, seen: Seen): readonly string[] {
  const indent = '  '.repeat(agents.length - 1)
  const who = `${agents.at(-1)} for ${agents.at(-2) ?? seen.subject}`
  return [
    `${indent}${escaped(`${who}: ${leftAt(facts, tokens, seen.now)}`)}`,
    ...tokens.map((token) => `${indent}    ${escaped(tokenLine(token, seen.now))}`),
  ]
}

/** What may still be done there, or why nothing may. */
function leftAt({ revoked }: JsonObject, tokens: readonly JsonObject[], now: number): string {
  const ending = endingText(revoked)
  if (ending !== undefined) return `revoked ${ending}`
  const active = tokens.filter((token) => textOf(token, 'state') === 'active')
  const ends = active.flatMap((token) => textOf(token, 'expires_at') ?? []).sort()
  const last = ends.at(-1)
  if (last === undefined) return 'nothing left'
  const scope = new Set(active.flatMap((token) => textsOf(token, 'scope')))
  return `${[...scope].join(' ')}, ${leftText(last, now)}`
}

function tokenLine(token: JsonObject, now: number): string {
  const state = textOf(token, 'state') ?? ''
  const end = textOf(token, 'expires_at')
  const left = state === 'active' && end !== undefined ? leftText(end, now) : ''
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
