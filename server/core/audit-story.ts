/**
 * The story of a task, told from its entries: which places there were, one above the other, and what happened at each. Every
 * entry is told once, by its index; the order of the entries is the timeline.
 */

/** What is read of an entry of the log. */
export interface StoryEntry {
  readonly event: string
  readonly outcome: string
  readonly action?: string
  readonly client?: string
  /** Agent ids from the root to the holder; of a refusal, of the token that was presented. */
  readonly chain?: readonly string[]
  /** The place that was taken out: agent ids joined by `/`. */
  readonly place?: string
}

export interface IndexedEntry {
  readonly index: number
  readonly entry: StoryEntry
}

/** Indexes of entries, oldest first. */
export interface Happened {
  /** Tokens that were issued there. */
  readonly tokens: readonly number[]
  /** What was asked for there and not given. */
  readonly refusals: readonly number[]
  /** What resource servers say was done with its tokens. */
  readonly actions: readonly number[]
  /** What ended something there. */
  readonly endings: readonly number[]
}

export interface StoryPlace extends Happened {
  /** Agent ids from the root. Of somebody who asked for a token and never got one, too. */
  readonly place: readonly string[]
}

export interface Story {
  /** Depth first, in the order in which they came up. */
  readonly places: readonly StoryPlace[]
  /** What happened to the task as a whole. */
  readonly task: readonly number[]
}

type Kind = keyof Happened
type Told = Record<Kind, number[]>

interface Branch extends Told {
  readonly agent: string
  readonly beneath: Map<string, Branch>
}

/** @param entries of one task, oldest first */
export function tellStory(entries: readonly IndexedEntry[]): Story {
  const root = branch('')
  const task: number[] = []
  for (const { index, entry } of entries) {
    const place = placeOf(entry)
    if (place.length === 0) task.push(index)
    else branchAt(root, place)[kindOf(entry)].push(index)
  }
  return { places: placesUnder(root), task }
}

/** Where an entry belongs; nowhere: to the task. */
function placeOf(entry: StoryEntry): readonly string[] {
  const { event, outcome, action, client, chain = [], place } = entry
  // Where a trigger fired is a place too, and what it ended is the task.
  if (event === 'task') return action === 'revoke_place' ? (place?.split('/') ?? []) : []
  const isAskedBeneath = event === 'token' && outcome !== 'permit' && client !== chain.at(-1)
  return isAskedBeneath && client !== undefined ? [...chain, client] : chain
}

function kindOf({ event, outcome }: StoryEntry): Kind {
  if (outcome !== 'permit') return 'refusals'
  if (event === 'token') return 'tokens'
  return event === 'record' ? 'actions' : 'endings'
}

function branch(agent: string): Branch {
  return { agent, beneath: new Map(), tokens: [], refusals: [], actions: [], endings: [] }
}

function branchAt(root: Branch, place: readonly string[]): Branch {
  let at = root
  for (const agent of place) {
    const next = at.beneath.get(agent) ?? branch(agent)
    at.beneath.set(agent, next)
    at = next
  }
  return at
}

/** A stack of its own: nobody's chain is too deep for it. */
function placesUnder(root: Branch): readonly StoryPlace[] {
  const places: StoryPlace[] = []
  const waiting = beneath(root, [])
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { tokens, refusals, actions, endings } = next.at
    places.push({ place: next.place, tokens, refusals, actions, endings })
    waiting.push(...beneath(next.at, next.place))
  }
  return places
}

/** The last one first. */
function beneath(
  { beneath: branches }: Branch,
  above: readonly string[],
): { readonly at: Branch; readonly place: readonly string[] }[] {
  return [...branches.values()].reverse().map((at) => ({ at, place: [...above, at.agent] }))
}
