/**
 * Scope tokens (RFC 6749 §3.3) and bit masks over a root's ordered list (docs/chain-format.md §1). One matcher for
 * issuer and verifier: names are equal or they are not; there is no prefix and no wildcard.
 */

/** A mask has to stay a positive 32-bit integer: bit 31 is the sign. */
export const MAX_LIST_LENGTH = 31

// RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/

export function isScopeToken(value: unknown): value is string {
  return typeof value === 'string' && SCOPE_TOKEN.test(value)
}

/** Tokens of a scope string, in order; undefined when it is empty, repeats a token or breaks the grammar. */
export function readScope(text: string): readonly string[] | undefined {
  const names = text.split(' ')
  return names.every(isScopeToken) && new Set(names).size === names.length ? names : undefined
}

/** True when `mask` names at least one and only entries of a list this long; checked as a number, before any bit. */
export function isMask(mask: unknown, listLength: number): mask is number {
  return Number.isSafeInteger(mask) && Number(mask) >= 1 && Number(mask) <= 2 ** listLength - 1
}

/** Entries whose bit is set, in list order. `mask` has passed `isMask`. */
export function scopeNames(list: readonly string[], mask: number): readonly string[] {
  return list.filter((_, bit) => (mask & (1 << bit)) !== 0)
}

/** The mask with every bit of a list of 1 to 31 entries set. */
export function fullMask(list: readonly string[]): number {
  return 2 ** list.length - 1
}

/** True when `child` sets no bit that `parent` has not. Both have passed `isMask` or are 0. */
export function addsNothing(parent: number, child: number): boolean {
  return (child & ~parent) === 0
}
