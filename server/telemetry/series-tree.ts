/** Series of one metric by the values of their labels: made at the first use, found afterwards without putting a text together. */

interface Branch<Series> {
  readonly branches: Map<string, Branch<Series>>
  series: Series | undefined
}

export class SeriesTree<Series> {
  readonly #make: (labels: readonly string[]) => Series
  readonly #root: Branch<Series> = { branches: new Map(), series: undefined }

  constructor(make: (labels: readonly string[]) => Series) {
    this.#make = make
  }

  of(...labels: readonly string[]): Series {
    let at = this.#root
    for (const label of labels) {
      const next = at.branches.get(label) ?? { branches: new Map(), series: undefined }
      at.branches.set(label, next)
      at = next
    }
    at.series ??= this.#make(labels)
    return at.series
  }
}
