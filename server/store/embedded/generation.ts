/** Names this store apart from every other one: a store made anew after a loss never serves a lost one's status lists. */
import { randomBytes } from 'node:crypto'
import type { Environment } from './environment.ts'
import { generationKey } from './keys.ts'

/** Every token carries it: short, and still another one after a loss. */
const GENERATION_BYTES = 3

/** Random, made once; as it stands in the ids of lists. */
export function readGeneration(environment: Environment): string {
  const number = environment.transact(() => {
    const known = environment.get(generationKey)
    if (known !== undefined) return known.readUIntBE(0, GENERATION_BYTES)
    const made = randomBytes(GENERATION_BYTES)
    environment.put(generationKey, made)
    return made.readUIntBE(0, GENERATION_BYTES)
  })
  return number.toString(36)
}
