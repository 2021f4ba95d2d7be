/**
 * "Did you mean": the known name nearest to one that is unknown, by edit distance with neighbouring letters
 * swapped as one edit (optimal string alignment).
 */

const LONGEST = 64
/** From no letter to so many. */
const FIRST_ROW: readonly number[] = Array.from({ length: LONGEST + 1 }, (_, column) => column)

/** The nearest candidate within a third of the name's length, or undefined. */
export function findNearest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > LONGEST) return undefined
  let nearest: string | undefined
  let least = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of candidates) {
    if (candidate.length > LONGEST || Math.abs(candidate.length - name.length) >= least) continue
    const distance = readDistance(name, candidate, least)
    if (distance < least) {
      least = distance
      nearest = candidate
    }
  }
  return nearest
}

/** The distance, or any number from `enough` on: a tenant may have ten thousand names to compare with. */
function readDistance(a: string, b: string, enough: number): number {
  let beforeLast: readonly number[] = []
  let last: readonly number[] = FIRST_ROW
  let leastOfLast = 0
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    let least = row
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1
      const swapped =
        row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      const distance = Math.min(
        cell(last, column) + 1,
        cell(current, column - 1) + 1,
        cell(last, column - 1) + same,
        swapped ? cell(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
      )
      current.push(distance)
      least = Math.min(least, distance)
    }
    // Whatever comes later is no less than this row, or, by a swap, than one more than the row before it.
    if (least >= enough && leastOfLast + 1 >= enough) return enough
    beforeLast = last
    last = current
    leastOfLast = least
  }
  return cell(last, b.length)
}

function cell(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
