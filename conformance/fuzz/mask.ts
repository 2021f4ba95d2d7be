/** Masks of docs/chain-format.md §1, read from the digits of the number in base two: no operator has a width here. */

/** Entries whose bit is set, in list order; a bit beyond the list has a name of its own. Throws where the mask is no whole number. */
export function namesOf(list: readonly string[], mask: unknown): readonly string[] {
  const digits = BigInt(Number(mask)).toString(2).split('').toReversed()
  return digits.flatMap((digit, at) => (digit === '1' ? [list[at] ?? `bit ${at}`] : []))
}
