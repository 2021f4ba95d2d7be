/** The name somebody probably meant. */

/** Of `names`, the one that differs from `name` in least letters, where that is few. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((other) => ({ other, apart: distance(name.toLowerCase(), other.toLowerCase()) }))
    .sort((one, two) => one.apart - two.apart)
  const [best] = ranked
  return best !== undefined && best.apart <= Math.max(1, name.length / 3) ? best.other : undefined
}

/** How many letters have to be put in, taken out or changed. */
function distance(one: string, two: string): number {
  let row = Array.from({ length: two.length + 1 }, (_, at) => at)
  for (const [at, letter] of Array.from(one).entries()) {
    const next = [at + 1]
    for (const [column, other] of Array.from(two).entries()) {
      const changed = (row[column] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(changed, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
