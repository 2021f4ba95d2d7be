/** What a benchmark is made of: areas that print lines, and the figures they are held to. */
import type { Cores } from './cores.ts'

export type Cell = string | number | boolean

/** One JSON line. `ratio` is this figure against the one named by `ratio_to`; above 1 is better than that. */
export interface Line {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly ratio_to?: string
  readonly ratio?: number
  readonly [more: string]: Cell | undefined
}

/** A figure we hold ourselves to: at least, or at most, `bound`. */
export interface Target {
  readonly target: string
  readonly value: number
  readonly bound: { readonly least: number } | { readonly most: number }
  /** Figures that belong to it, on the same line. */
  readonly more?: Readonly<Record<string, Cell>>
}

export interface Bench {
  /** A run that only shows that everything works; its figures mean nothing. */
  readonly quick: boolean
  /** A run with more of everything, where an area has more. */
  readonly long: boolean
  readonly cores: Cores
  readonly emit: (line: Line) => void
}

export interface Area {
  readonly name: string
  readonly summary: string
  /** Whether it runs when nothing is named. */
  readonly byDefault: boolean
  run(bench: Bench): Promise<readonly Target[]>
}

export function isMet({ value, bound }: Target): boolean {
  return 'least' in bound ? value >= bound.least : value <= bound.most
}
