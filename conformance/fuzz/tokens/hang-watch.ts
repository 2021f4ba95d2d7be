/** Which threads are at one input for too long. Times are told, in milliseconds. */
export class HangWatch {
  readonly #limit: number
  readonly #running = new Map<number, { input: number; since: number }>()

  constructor(limit: number, threads: number, now: number) {
    this.#limit = limit
    for (let thread = 0; thread < threads; thread++)
      this.#running.set(thread, { input: -1, since: now })
  }

  /** Whether the thread hangs at this input; said once. */
  look(thread: number, input: number, now: number): boolean {
    const seen = this.#running.get(thread)
    if (seen === undefined) return false
    if (input !== seen.input) {
      seen.input = input
      seen.since = now
    }
    const hangs = now - seen.since > this.#limit
    if (hangs) this.end(thread)
    return hangs
  }

  /** It has no input any more: one that is done first waits for the others. */
  end(thread: number): void {
    this.#running.delete(thread)
  }
}
