/**
 * An entry of the log for people, within 100 columns. All of its text is escaped: names, scopes and words in it were chosen by
 * agents and by people (attack case N01).
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/src/strict-json.ts'
import { textOf, textsOf } from './admin-answer.ts'
import { escaped } from './print.ts'

const COLUMNS = 100
const NAME_COLUMNS = 12

/** `#12  2026-11-22T18:00:01Z  token.issued  planner/researcher` */
export function headline(entry: JsonObject): string {
  const columns = [`#${Number(entry['index'])}`, instantText(entry['time']), codeText(entry)]
  return escaped([...columns, whereText(entry)].filter((column) => column !== '').join('  '))
}

/** The headline, and beneath it what the entry says. */
export function entryText(entry: JsonObject): readonly string[] {
  return [headline(entry), ...factLines(entry)]
}

/** Scopes as they were, and as they are now. */
export function scopesText(entry: JsonObject): string | undefined {
  const [before, after] = ['scope_before', 'scope_after'].map((name) => textsOf(entry, name))
  const now = after?.join(' ') || textsOf(entry, 'scope_requested').join(' ')
  if (!now) return before?.join(' ') || undefined
  return before?.length ? `${before.join(' ')} -> ${now}` : now
}

/** Why nothing was given, or why something ended. */
export function reasonText(entry: JsonObject): string | undefined {
  const [reason, guard, because] = ['reason', 'guard', 'ended_because'].map((name) =>
    textOf(entry, name),
  )
  if (reason === undefined) return because
  return guard === undefined || guard === reason ? reason : `${reason} (${guard})`
}

/** RFC 3339, to the second. */
export function instantText(seconds: JsonValue | undefined): string {
  const date = new Date(Number(seconds) * 1000)
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().replace(/\.\d+Z$/, 'Z')
}

/** `start` and the text behind it, in lines of at most 100 columns: broken between words, a longer word stays whole. */
export function wrapped(start: string, text: string, indent: string): readonly string[] {
  const [first = '', ...words] = text.split(' ')
  const lines: string[] = []
  let line = start + first
  for (const word of words) {
    const longer = `${line} ${word}`
    if (longer.length <= COLUMNS) line = longer
    else {
      lines.push(line)
      line = indent + word
    }
  }
  return [...lines, line]
}

function codeText(entry: JsonObject): string {
  return textOf(entry, 'code') ?? 'a line that a crash cut short'
}

function whereText(entry: JsonObject): string {
  const chain = textsOf(entry, 'chain').join('/')
  return textOf(entry, 'place') ?? (chain || whoText(entry) || '')
}

function whoText(entry: JsonObject): string | undefined {
  return textOf(entry, 'author') ?? textOf(entry, 'client')
}

function factLines(entry: JsonObject): readonly string[] {
  return factsOf(entry).flatMap(([name, value]) => {
    if (value === undefined || value === '') return []
    const indent = ' '.repeat(NAME_COLUMNS + 2)
    return wrapped(`  ${name.padEnd(NAME_COLUMNS)}`, escaped(value), indent)
  })
}

type Fact = readonly [name: string, value: string | undefined]

function factsOf(entry: JsonObject): readonly Fact[] {
  const [anomalies, policies] = ['anomalies', 'policies'].map((name) => textsOf(entry, name))
  return [
    ['by', byText(entry)],
    ['for', textOf(entry, 'subject')],
    ['at', textOf(entry, 'target')],
    ['did', actionText(entry)],
    ['scope', scopesText(entry)],
    ['until', instantText(entry['expires_at'])],
    ['why', reasonText(entry)],
    ['words', wordsText(entry)],
    ['reached', reachedText(entry)],
    ['looked odd', anomalies?.join(' ')],
    ['rules', policies?.join(' ')],
    ['version', textOf(entry, 'tenant_version')?.slice(0, 12)],
    ['changes', textsOf(entry, 'changes').join('; ')],
    ['asked', queryText(entry['query'])],
    ['trace', textOf(entry, 'traceparent')],
  ]
}

/** Who asked, how they authenticated, and what they proved to hold. */
function byText(entry: JsonObject): string | undefined {
  const who = whoText(entry)
  if (who === undefined) return undefined
  const [method, credential] = ['client_auth', 'credential'].map((name) => textOf(entry, name))
  const [bound, attester] = ['bound_by', 'attester'].map((name) => textOf(entry, name))
  const how = [
    [method, credential].filter((part) => part !== undefined).join(' '),
    bound === undefined ? '' : `holds a key by ${bound}`,
    attester === undefined ? '' : `vouched for by ${attester}`,
    textsOf(entry, 'roles').join(' '),
  ].filter((part) => part !== '')
  return how.length === 0 ? who : `${who} (${how.join(', ')})`
}

/** What a resource server says was done. */
export function actionText(entry: JsonObject): string | undefined {
  const [tool, object, result, change] = ['tool', 'object', 'result', 'change_ref'].map((name) =>
    textOf(entry, name),
  )
  if (tool === undefined) return undefined
  return `${tool} ${object}: ${result}${change === undefined ? '' : `, as ${change}`}`
}

function reachedText(entry: JsonObject): string | undefined {
  const { tasks_reached: tasks, places_reached: places } = entry
  return tasks === undefined ? undefined : `${Number(tasks)} tasks, ${Number(places)} places`
}

/** Texts the tenant keeps; of others there are digests. */
function wordsText({ texts, digests }: JsonObject): string | undefined {
  if (isJsonObject(texts)) {
    return Object.keys(texts)
      .map((name) => `${name}: "${textOf(texts, name) ?? ''}"`)
      .join(', ')
  }
  return isJsonObject(digests) ? `${Object.keys(digests).join(', ')}: not kept` : undefined
}

function queryText(query: JsonValue | undefined): string | undefined {
  if (!isJsonObject(query)) return undefined
  return Object.keys(query)
    .map((name) => `${name}=${textOf(query, name) ?? ''}`)
    .join(' ')
}

/** `1 entry`, `2 entries`. */
export function entriesText(count: number): string {
  return `${count} ${count === 1 ? 'entry' : 'entries'}`
}
