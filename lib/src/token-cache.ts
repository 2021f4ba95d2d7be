/**
 * Tokens verified before, by their whole text. Only canonical tokens get in (they verified), so one token is one
 * entry; a hit still has its times, key, proof and scope checked. Bounded: the least recently used leaves first.
 */

export class TokenCache<Token> {
  readonly #tokens = new Map<string, Token>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  find(token: string): Token | undefined {
    const verified = this.#tokens.get(token)
    if (verified === undefined) return undefined
    // Map keeps insertion order, so writing again makes it the most recently used.
    this.#tokens.delete(token)
    this.#tokens.set(token, verified)
    return verified
  }

  keep(token: string, verified: Token): void {
    if (this.#capacity === 0) return
    this.#tokens.set(token, verified)
    if (this.#tokens.size <= this.#capacity) return
    for (const oldest of this.#tokens.keys()) {
      this.#tokens.delete(oldest)
      return
    }
  }

  forget(token: string): void {
    this.#tokens.delete(token)
  }
}
