/**
 * Tokens verified before, by their whole text. Only canonical tokens get in (they verified), so one token is one
 * entry; a hit still has its times, key, proof and scope checked. Bounded: the least recently used leaves first.
 */

/** Characters at the end of a signature: they find the entry, the whole text decides. Hashing all of it costs more. */
const TAIL = 16

interface Entry<Token> {
  readonly text: string
  readonly verified: Token
}

export class TokenCache<Token> {
  readonly #entries = new Map<string, Entry<Token>>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  find(text: string): Token | undefined {
    const tail = text.slice(-TAIL)
    const entry = this.#entries.get(tail)
    if (entry === undefined || entry.text !== text) return undefined
    // Map keeps insertion order, so writing again makes it the most recently used.
    this.#entries.delete(tail)
    this.#entries.set(tail, entry)
    return entry.verified
  }

  /** Takes the place of another token with the same end: both verified, and that they meet is chance. */
  keep(text: string, verified: Token): void {
    if (this.#capacity === 0) return
    this.#entries.set(text.slice(-TAIL), { text, verified })
    if (this.#entries.size <= this.#capacity) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }

  /** Of a token that was just found. */
  forget(text: string): void {
    this.#entries.delete(text.slice(-TAIL))
  }
}
