/** Rules 1 to 5 of docs/chain-format.md §2, one after the other. */
import { actorsFault, actorsOf } from './actors.ts'
import { type Bounds, boundsOf } from './bounds.ts'
import { formFault } from './form.ts'
import type { JsonObject } from './json.ts'
import { lengthFault, levelsOf } from './length.ts'
import { narrowingFault } from './narrowing.ts'
import { newestHopFault } from './newest-hop.ts'

export interface Chain {
  readonly bounds: Bounds
  /** Of the place, the caller first: with basis `client` the subject is the last. */
  readonly agents: readonly string[]
}

/** The chain, or the reason of a sentence it breaks. */
export function readChain(claims: JsonObject, subject: string): Chain | string {
  const formless = formFault(claims)
  if (formless !== undefined) return formless
  const bounds = boundsOf(claims)
  const count = levelsOf(bounds)
  const actors = actorsOf(claims, count)
  const fault =
    actorsFault(claims, count) ??
    lengthFault(bounds) ??
    narrowingFault(bounds) ??
    newestHopFault({ claims, bounds, actors })
  if (fault !== undefined) return fault
  return { bounds, agents: bounds.basis === 'client' ? [...actors, subject] : actors }
}
