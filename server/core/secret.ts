/**
 * A value that must not be printed. Whatever turns it into text, a template, JSON, `inspect` or a log, gets
 * `[secret]`; only `reveal()` gives the value, so every use of it can be found by that word.
 */

const COVER = '[secret]'

export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself, for the one place that needs it. Never put it on an error or in a log. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return COVER
  }

  toJSON(): string {
    return COVER
  }

  /** Node's `util.inspect` looks here. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return COVER
  }
}
