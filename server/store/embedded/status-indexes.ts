/**
 * Status list indexes, handed out from blocks claimed atomically. A block belongs to the process that claimed it and dies
 * with it, so no index is handed out twice; the rest of a block becomes a hole. A token is answered only after `durable`,
 * which its block's claim precedes: a power loss cannot bring a used index back.
 */
import type { StatusIndexes } from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { indexKey } from './keys.ts'
import type { WriteBatch } from './write-batch.ts'

const BLOCK = 128
/** Seconds one list takes new tasks. */
const WINDOW_SECONDS = 3600
/** Lists with an open block in memory; the oldest is dropped, its rest a hole. */
const MAX_OPEN_BLOCKS = 4096

interface Block {
  next: number
  readonly end: number
}

export class EmbeddedStatusIndexes implements StatusIndexes {
  readonly #environment: Environment
  readonly #batch: WriteBatch
  readonly #blocks = new Map<string, Block>()
  readonly #claims = new Map<string, Promise<void>>()

  constructor(environment: Environment, batch: WriteBatch) {
    this.#environment = environment
    this.#batch = batch
  }

  /** The same list for every tenant's window; a list is always named together with its tenant. */
  listAt(_tenant: string, now: number): string {
    return `g${this.#environment.generation}-${Math.floor(now / WINDOW_SECONDS)}`
  }

  async allocate(tenant: string, list: string): Promise<number> {
    const key = indexKey(tenant, list)
    const name = key.toString('latin1')
    for (;;) {
      const block = this.#blocks.get(name)
      if (block !== undefined && block.next < block.end) {
        const index = block.next
        block.next += 1
        return index
      }
      await this.#claimOnce(name, key)
    }
  }

  /** All who wait for the same list wait for one claim. */
  #claimOnce(name: string, key: Buffer): Promise<void> {
    const claiming =
      this.#claims.get(name) ??
      this.#claim(name, key).finally(() => {
        this.#claims.delete(name)
      })
    this.#claims.set(name, claiming)
    return claiming
  }

  async #claim(name: string, key: Buffer): Promise<void> {
    const start = await this.#batch.write('grows', () => {
      const next = this.#environment.get(key)?.readUInt32BE() ?? 0
      const value = Buffer.alloc(4)
      value.writeUInt32BE(next + BLOCK) // throws where 32 bits end
      this.#environment.put(key, value)
      return next
    })
    this.#blocks.delete(name)
    this.#blocks.set(name, { next: start, end: start + BLOCK })
    const oldest = this.#blocks.keys().next()
    if (this.#blocks.size > MAX_OPEN_BLOCKS && !oldest.done) this.#blocks.delete(oldest.value)
  }
}
