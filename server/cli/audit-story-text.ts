/** The story of a task for people: who acted where, as a tree; then everything in its order. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/src/strict-json.ts'
import { textOf, textsOf } from './admin-answer.ts'
import {
  actionText,
  entriesText,
  entryText,
  instantText,
  reasonText,
  scopesText,
  wrapped,
} from './audit-entry-text.ts'
import { escaped } from './print.ts'

/** @param story what `audit/tasks/{txn}` answers */
export function storyText(story: JsonObject): string {
  const entries = objectsOf(story['entries'])
  const byIndex = new Map(entries.map((entry) => [entry['index'], entry]))
  const task = entriesAt(story['task'], byIndex)
  const lines = [
    ...titleText(story, entries),
    '',
    'Who acted',
    ...objectsOf(story['places']).flatMap((place) => placeText(place, byIndex)),
    ...task.flatMap((entry) => happened('  ', entry, endingText(entry))),
    '',
    'In order',
    ...entries.flatMap(entryText),
  ]
  return lines.join('\n')
}

function titleText(story: JsonObject, entries: readonly JsonObject[]): readonly string[] {
  const first = entries.find((entry) => textOf(entry, 'subject') !== undefined)
  const type = first && textOf(first, 'task_type')
  const about = first === undefined ? '' : `${type ?? 'no type'} for ${textOf(first, 'subject')}`
  const count = entriesText(entries.length)
  return [
    escaped(`Task ${textOf(story, 'txn')}: ${about}`),
    story['is_cut'] === true ? `The oldest ${count}; search and export have the rest.` : count,
  ]
}

function placeText(
  place: JsonObject,
  byIndex: ReadonlyMap<JsonValue | undefined, JsonObject>,
): readonly string[] {
  const agents = textsOf(place, 'place')
  const indent = '  '.repeat(agents.length)
  const told: readonly (readonly [string, (entry: JsonObject) => string])[] = [
    ['tokens', tokenText],
    ['refusals', refusalText],
    ['actions', (entry) => actionText(entry) ?? ''],
    ['endings', endingText],
  ]
  const all = told.flatMap(([kind, toText]) =>
    entriesAt(place[kind], byIndex).map((entry) => ({ entry, text: toText(entry) })),
  )
  all.sort((a, b) => Number(a.entry['index']) - Number(b.entry['index']))
  return [
    `${indent}${escaped(agents.at(-1) ?? '')}`,
    ...all.flatMap(({ entry, text }) => happened(`${indent}  `, entry, text)),
  ]
}

/** One thing, with its number and when. */
function happened(indent: string, entry: JsonObject, text: string): readonly string[] {
  const when = instantText(entry['time']).slice(11, 19)
  return wrapped(`${indent}#${Number(entry['index'])} ${when} `, escaped(text), `${indent}    `)
}

function tokenText(entry: JsonObject): string {
  const until = instantText(entry['expires_at']).slice(11, 19)
  return `token: ${scopesText(entry) ?? 'no scope'} at ${textOf(entry, 'target')}, until ${until}`
}

function refusalText(entry: JsonObject): string {
  const what = textOf(entry, 'outcome') === 'ask' ? 'asked a person' : 'refused'
  const [scopes, target] = [scopesText(entry), textOf(entry, 'target')]
  const asked = [scopes, target === undefined ? undefined : `at ${target}`]
  const words = asked.filter((part) => part !== undefined).join(' ')
  return `${what}: ${reasonText(entry) ?? 'no reason'}${words === '' ? '' : `; ${words}`}`
}

function endingText(entry: JsonObject): string {
  const by = textOf(entry, 'author') ?? textOf(entry, 'client')
  const why = reasonText(entry) ?? keptWords(entry)
  const who = by === undefined ? '' : ` by ${by}`
  return `${textOf(entry, 'code')}${who}${why === undefined ? '' : `: ${why}`}`
}

function keptWords({ texts }: JsonObject): string | undefined {
  return isJsonObject(texts) ? textOf(texts, 'because') : undefined
}

function entriesAt(
  indexes: JsonValue | undefined,
  byIndex: ReadonlyMap<JsonValue | undefined, JsonObject>,
): readonly JsonObject[] {
  if (!Array.isArray(indexes)) return []
  return indexes
    .map((index: JsonValue) => byIndex.get(index))
    .filter((entry) => entry !== undefined)
}

function objectsOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}
