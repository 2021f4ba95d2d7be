/** Whether the server is well while it is fuzzed: looked at now and then, and thoroughly in the end. */
import { growthOf, rounded } from '../run.ts'
import type { Watch } from './target.ts'

const EVERY = 2_000
/** Caches and compiled code of a server that has just started are no growth. */
const LEAST_GROWTH = 96_000_000

export class Vigil {
  readonly #watch: Watch | undefined
  readonly #samples: number[] = []
  #lookedAt = performance.now()

  constructor(watch: Watch | undefined) {
    this.#watch = watch
  }

  /** The server's fault, if it has one now. */
  async look(): Promise<string | undefined> {
    const now = performance.now()
    if (this.#watch === undefined || now - this.#lookedAt < EVERY) return undefined
    this.#lookedAt = now
    const fault = await this.#watch.fault()
    // Of a process that is gone there is nothing to sample.
    if (fault === undefined) this.#samples.push(this.#watch.memory())
    return fault
  }

  /** The same, and whether it grew. */
  async end(): Promise<string | undefined> {
    const fault = await this.#watch?.fault()
    if (fault !== undefined) return fault
    const { from, to, grows } = growthOf(this.#samples, LEAST_GROWTH)
    return grows ? `its memory grew from ${from} to ${to} bytes` : undefined
  }

  figures(): Readonly<Record<string, number>> {
    const { from, to } = growthOf(this.#samples, LEAST_GROWTH)
    if (this.#samples.length === 0) return {}
    return { server_mb_from: rounded(from / 1e6), server_mb_to: rounded(to / 1e6) }
  }
}
