/** Names this store apart from every other one: a store made anew after a loss never serves a lost one's status lists. */
import { randomBytes } from 'node:crypto'
import type { Environment } from './environment.ts'
import { generationKey } from './keys.ts'

/** Every token carries it: short, and still another one after a loss. */
const GENERATION_BYTES = 3

/** Random, made once. */
export function readGeneration(environment: Environment): number {
  return environment.transact(() => {
    const known = environment.get(generationKey)
    if (known !== undefined) return known.readUIntBE(0, GENERATION_BYTES)
    const made = randomBytes(GENERATION_BYTES)
    environment.put(generationKey, made)
    return made.readUIntBE(0, GENERATION_BYTES)
  })
}
