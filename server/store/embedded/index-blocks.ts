/** The counter behind each status list: blocks of indexes, claimed atomically and never given back. */
import type { Environment } from './environment.ts'
import { indexKey } from './keys.ts'

/** Indexes of one block. */
export const BLOCK = 128

/** The first index of a block that is nobody else's. */
export function claimBlock(
  environment: Environment,
  list: { readonly tenant: string; readonly list: string },
): number {
  const key = indexKey(list.tenant, list.list)
  const next = environment.get(key)?.readUInt32BE() ?? 0
  const value = Buffer.alloc(4)
  value.writeUInt32BE(next + BLOCK) // throws where 32 bits end
  environment.put(key, value)
  return next
}
