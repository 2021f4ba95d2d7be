/** Order statistics: a machine that others use as well has outliers, and no mean survives them. */

/** The value below which the part `share` (0 to 1) of the samples lies. NaN for no samples. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5)
}

/** Rounded to so many significant digits: more would be noise. */
export function rounded(value: number, digits = 4): number {
  return Number(value.toPrecision(digits))
}
