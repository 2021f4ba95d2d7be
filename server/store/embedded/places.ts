/** Places of a task: read, counted, taken out. A place that is taken out takes all beneath it with it. */
import type { Ending } from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { placeKey, placesOf } from './keys.ts'
import { StoredPlace } from './records.ts'

export interface TaskAddress {
  readonly tenant: string
  readonly txn: string
}

export interface KnownPlace {
  readonly place: string
  readonly ending: Ending | undefined
}

/** All places of the task that a token was made at, and those that were taken out. */
export function readPlaces(environment: Environment, at: TaskAddress): readonly KnownPlace[] {
  const stored = environment.range(placesOf(at.tenant, at.txn), Infinity)
  return stored.flatMap(({ value }) => new StoredPlace(value).read() ?? [])
}

export function findPlace(
  environment: Environment,
  at: TaskAddress,
  place: string,
): StoredPlace | undefined {
  const value = environment.get(placeKey(at.tenant, at.txn, place))
  return value === undefined ? undefined : new StoredPlace(value)
}

/** Whether the place or one above it was taken out. */
export function isTakenOut(environment: Environment, at: TaskAddress, place: string): boolean {
  for (let end = place.indexOf('/'); end !== -1; end = place.indexOf('/', end + 1)) {
    const above = findPlace(environment, at, place.slice(0, end))
    if (above?.read()?.ending !== undefined) return true
  }
  return findPlace(environment, at, place)?.read()?.ending !== undefined
}

/** Inside a transaction. */
export function takeOut(
  environment: Environment,
  at: TaskAddress,
  { place, ending }: { readonly place: string; readonly ending: Ending },
): void {
  const tokens = findPlace(environment, at, place)?.tokens ?? 0
  const taken = StoredPlace.of(place, tokens, ending)
  environment.put(placeKey(at.tenant, at.txn, place), taken.value)
}

/** The shortest places that end with the agent: taken out, they leave it nowhere in the task. */
export function placesOfAgent(places: readonly KnownPlace[], agent: string): ReadonlySet<string> {
  const found = new Set<string>()
  for (const { place } of places) {
    const agents = place.split('/')
    const at = agents.indexOf(agent)
    if (at !== -1) found.add(agents.slice(0, at + 1).join('/'))
  }
  return found
}
