/**
 * Status list indexes, handed out from blocks claimed atomically. A block belongs to the process that claimed it and dies
 * with it, so no index is handed out twice; the rest of a block becomes a hole. A store begun anew after a power loss has
 * another generation, so its lists are others too.
 */
import type { Clock, StatusIndexes } from '../../use-cases/ports.ts'
import { BLOCK } from './index-blocks.ts'
import type { Writer } from './writer.ts'

/** Seconds one list takes new tasks. */
const WINDOW_SECONDS = 3600
/** Lists with an open block in memory; the oldest is dropped, its rest a hole. */
const MAX_OPEN_BLOCKS = 4096

interface Block {
  next: number
  readonly end: number
}

export class EmbeddedStatusIndexes implements StatusIndexes {
  readonly #writer: Writer
  readonly #generation: string
  readonly #clock: Clock
  readonly #blocks = new Map<string, Block>()
  readonly #claims = new Map<string, Promise<void>>()

  constructor(writer: Writer, generation: string, clock: Clock) {
    this.#writer = writer
    this.#generation = generation
    this.#clock = clock
  }

  /** The same list for every tenant's window; a list is always named together with its tenant. */
  listAt(_tenant: string, now: number): string {
    const window = Math.floor(now / WINDOW_SECONDS)
    return `g${this.#generation}-${window.toString(36)}`
  }

  async allocate(tenant: string, list: string): Promise<number> {
    const name = JSON.stringify([tenant, list])
    for (;;) {
      const block = this.#blocks.get(name)
      if (block !== undefined && block.next < block.end) {
        const index = block.next
        block.next += 1
        return index
      }
      await this.#claimOnce(tenant, list, name)
    }
  }

  /** All who wait for the same list wait for one claim. */
  #claimOnce(tenant: string, list: string, name: string): Promise<void> {
    const claiming =
      this.#claims.get(name) ??
      this.#claim(tenant, list, name).finally(() => {
        this.#claims.delete(name)
      })
    this.#claims.set(name, claiming)
    return claiming
  }

  async #claim(tenant: string, list: string, name: string): Promise<void> {
    const start = await this.#writer.write('claimBlock', { tenant, list, now: this.#clock.now() })
    this.#blocks.delete(name)
    this.#blocks.set(name, { next: start, end: start + BLOCK })
    const oldest = this.#blocks.keys().next()
    if (this.#blocks.size > MAX_OPEN_BLOCKS && !oldest.done) this.#blocks.delete(oldest.value)
  }
}
