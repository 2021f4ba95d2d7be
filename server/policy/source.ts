/** A policy file's text, and where in it something stands. */
import type { Problem } from '../core/problem.ts'

export interface Finding {
  readonly text: string
  readonly suggestion?: string | undefined
}

export class Source {
  readonly file: string
  readonly text: string
  /** Offsets at which lines begin. */
  readonly #lines: readonly number[]

  constructor(file: string, text: string) {
    this.file = file
    this.text = text
    this.#lines = [0, ...text.matchAll(/\n/g).map(({ index }) => index + 1)]
  }

  /** Line and column count from 1; columns in UTF-16 units, as for YAML. */
  placeAt(offset: number): { readonly line: number; readonly column: number } {
    const line = this.#lineOf(offset)
    return { line: line + 1, column: offset - (this.#lines[line] ?? 0) + 1 }
  }

  problemAt(offset: number, { text, suggestion }: Finding): Problem {
    const place = { file: this.file, ...this.placeAt(offset) }
    return { ...place, text, ...(suggestion === undefined ? {} : { suggestion }) }
  }

  #lineOf(offset: number): number {
    let low = 0
    let high = this.#lines.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.#lines[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}
