/** What entries are found by. One list of it for the index and for the look at the entry itself, so that they cannot differ. */
import type { AuditQuery, StoredEntry } from '../use-cases/ports.ts'

/** What may be searched; records of resource servers are asked for by their id within the server alone. */
export interface SearchQuery extends AuditQuery {
  readonly record?: string | undefined
}

/** First letter of each term. Rare ones first: a search goes from one of these to the next. */
const KIND = {
  record: 'x',
  txn: 't',
  subject: 's',
  reason: 'r',
  agent: 'a',
  resource: 'u',
  code: 'c',
  outcome: 'o',
} as const satisfies Record<Exclude<keyof SearchQuery, 'from' | 'to'>, string>

type Kind = keyof typeof KIND
const KINDS = Object.keys(KIND) as readonly Kind[]

function termOf(kind: Kind, value: string): string {
  return KIND[kind] + value
}

/** Every term of an entry; one may stand twice. */
export function termsOf(entry: StoredEntry): readonly string[] {
  return KINDS.flatMap((kind) => valuesOf(entry, kind).map((value) => termOf(kind, value)))
}

/** The terms an entry has to have, all of them. */
export function wantedTerms(query: SearchQuery): readonly string[] {
  return KINDS.flatMap((kind) => {
    const value = query[kind]
    return value === undefined ? [] : [termOf(kind, value)]
  })
}

/** A line without an entry fits where nothing is asked for. */
export function fits(entry: StoredEntry | undefined, query: SearchQuery): boolean {
  const { from, to } = query
  const wanted = wantedTerms(query)
  if (entry === undefined) return wanted.length === 0 && from === undefined && to === undefined
  if (from !== undefined && entry.time < from) return false
  if (to !== undefined && entry.time >= to) return false
  const terms = termsOf(entry)
  return wanted.every((term) => terms.includes(term))
}

function valuesOf(entry: StoredEntry, kind: Kind): readonly string[] {
  if (kind === 'agent') return agentsOf(entry)
  if (kind === 'resource') return one(entry.target)
  return one(entry[kind])
}

function agentsOf({ client, agent, chain = [] }: StoredEntry): readonly string[] {
  return [...one(client), ...one(agent), ...chain]
}

const one = (value: string | undefined): readonly string[] => (value === undefined ? [] : [value])
