/** How often something happened, over the embedded store. */
import type { Counted, Counters } from '../../use-cases/ports.ts'
import type { Writer } from './writer.ts'

/** Each sweep removes up to four times as many windows as were counted in since the last. */
const COUNTS_PER_SWEEP = 64

export class EmbeddedCounters implements Counters {
  readonly #writer: Writer
  #sinceSweep = 0

  constructor(writer: Writer) {
    this.#writer = writer
  }

  count({ tenant, id, window, now }: Counted): Promise<number> {
    this.#sinceSweep += 1
    if (this.#sinceSweep >= COUNTS_PER_SWEEP || this.#writer.full) {
      this.#sinceSweep = 0
      this.#writer.defer('sweepCounters', now)
    }
    return this.#writer.write('countOne', { tenant, id, window, now })
  }
}
