/**
 * What was read from texts before, by the whole text: tokens that verified, keys by their thumbprint. Bounded: the least
 * recently used leaves first.
 */

/** Characters at the end, of a signature or a hash: they find the entry, the whole text decides. Hashing all of it costs more. */
const TAIL = 16

interface Entry<Value> {
  readonly text: string
  readonly value: Value
}

export class TextCache<Value> {
  readonly #entries = new Map<string, Entry<Value>>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  find(text: string): Value | undefined {
    const tail = text.slice(-TAIL)
    const entry = this.#entries.get(tail)
    if (entry === undefined || entry.text !== text) return undefined
    // Map keeps insertion order, so writing again makes it the most recently used.
    this.#entries.delete(tail)
    this.#entries.set(tail, entry)
    return entry.value
  }

  /** Takes the place of another text with the same end: both were good, and that they meet is chance. */
  keep(text: string, value: Value): void {
    if (this.#capacity === 0) return
    this.#entries.set(text.slice(-TAIL), { text, value })
    if (this.#entries.size <= this.#capacity) return
    const [oldest = ''] = this.#entries.keys()
    this.#entries.delete(oldest)
  }

  /** Of a text that was just found. */
  forget(text: string): void {
    this.#entries.delete(text.slice(-TAIL))
  }
}
