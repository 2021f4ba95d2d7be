/** Tasks as the API shows them: masks by their names, times as instants, places depth first. */
import { scopeNames } from '../../../lib/src/scope.ts'
import { endingOfPlace } from '../../use-cases/place-endings.ts'
import type { Ending, HopRecord, TaskRecord, TaskTree } from '../../use-cases/ports.ts'
import { toInstant } from './tenants.ts'

/** @param now seconds since the epoch */
export function summaryOf(task: TaskRecord, now: number) {
  const { txn, type, purpose, subject, opener, ending } = task
  return {
    txn,
    type,
    purpose,
    subject,
    opener,
    opened_at: toInstant(task.openedAt),
    deadline: toInstant(task.deadline),
    state: shownState(task, now),
    ending: ending === undefined ? undefined : endingView(ending),
  }
}

/** @param now seconds since the epoch */
export function treeView(tree: TaskTree, now: number) {
  const { task, revokedPlaces } = tree
  const { scope, reach, maxDepth } = task
  // Of one second by index: a process hands them out in order.
  const hops = tree.hops.toSorted((a, b) => a.issuedAt - b.issuedAt || a.idx - b.idx)
  const byPlace = Map.groupBy(hops, (hop) => hop.place)
  return {
    ...summaryOf(task, now),
    scope,
    reach,
    max_depth: maxDepth,
    tokens: hops.length,
    places: depthFirst([...byPlace.keys()]).map((place) => {
      const out = revokedPlaces.find((each) => each.place === place)
      const agents = place.split('/')
      return {
        place: agents,
        agent: agents.at(-1),
        revoked: out === undefined ? undefined : endingView(out.ending),
        tokens: (byPlace.get(place) ?? []).map((hop) => tokenView(tree, hop, now)),
      }
    }),
  }
}

function shownState({ state, deadline }: TaskRecord, now: number) {
  const isOver = state === 'closed' || state === 'revoked'
  return !isOver && now >= deadline ? 'expired' : state
}

function endingView({ at, by, reason }: Ending) {
  return { at: toInstant(at), by, reason }
}

function tokenView(tree: TaskTree, hop: HopRecord, now: number) {
  const { task } = tree
  return {
    jti: hop.jti,
    parent: hop.parent,
    audience: hop.audience,
    scope: scopeNames(task.scope, hop.scope),
    reach: scopeNames(task.reach, hop.reach),
    issued_at: toInstant(hop.issuedAt),
    expires_at: toInstant(hop.expiresAt),
    state: tokenState(tree, hop, now),
  }
}

function tokenState(tree: TaskTree, hop: HopRecord, now: number) {
  if (hop.revoked || endingOfPlace(tree, hop.place) !== undefined) return 'revoked'
  if (now >= hop.expiresAt || now >= tree.task.deadline) return 'expired'
  const { state } = tree.task
  if (state === 'closed' || state === 'revoked') return 'revoked'
  return state === 'suspended' ? 'suspended' : 'live'
}

/** Each place right after the one above it, siblings in the order their first tokens were made. */
function depthFirst(places: readonly string[]): readonly string[] {
  const known = new Set(places)
  const above = (place: string): string | undefined => {
    const parent = place.slice(0, Math.max(place.lastIndexOf('/'), 0))
    return known.has(parent) ? parent : undefined
  }
  const beneath = Map.groupBy(places, above)
  const ordered: string[] = []
  const waiting = [...(beneath.get(undefined) ?? [])].reverse()
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    ordered.push(place)
    waiting.push(...[...(beneath.get(place) ?? [])].reverse())
  }
  return ordered
}
