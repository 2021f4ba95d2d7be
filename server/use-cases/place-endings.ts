/** Which places of a task were taken out, with which others, and whose tokens that ended. */
import { isWithin } from '../core/place.ts'
import type { Ending, TaskTree } from './ports.ts'

/** Of the place itself, or of one above it; undefined where it is still in. */
export function endingOfPlace({ revokedPlaces }: TaskTree, place: string): Ending | undefined {
  return revokedPlaces.find((out) => isWithin(place, out.place))?.ending
}

/** `jti` of every token at these places and beneath. */
export function tokensBeneath({ hops }: TaskTree, places: readonly string[]): readonly string[] {
  return hops
    .filter((hop) => places.some((place) => isWithin(hop.place, place)))
    .map(({ jti }) => jti)
}
