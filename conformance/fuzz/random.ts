/**
 * Numbers that look random and follow from a seed, fast enough to cost nothing beside a signature: xoshiro128**
 * (https://prng.di.unimi.it). Good for choosing what to break, and for nothing that has to be secret.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #d: number

  /** The same numbers for the same seed and the same place: any input of a run can be made again alone. */
  constructor(seed: number, place = 0) {
    let mixed = (seed ^ Math.imul(place + 1, 0x9e3779b1)) | 0
    // SplitMix32: neighbouring seeds have to begin far apart.
    const word = (): number => {
      mixed = (mixed + 0x9e3779b9) | 0
      let z = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
      return z ^ (z >>> 16)
    }
    this.#a = word()
    this.#b = word()
    this.#c = word()
    this.#d = word() | 1
  }

  /** A whole number from 0 to 2 ** 32 - 1. */
  bits(): number {
    const turned = Math.imul(this.#b, 5)
    const result = Math.imul((turned << 7) | (turned >>> 25), 9) >>> 0
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = (this.#d << 11) | (this.#d >>> 21)
    return result
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor((this.bits() / 0x1_0000_0000) * limit)
  }

  /** True in `part` of all cases. */
  chance(part: number): boolean {
    return this.bits() < part * 0x1_0000_0000
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** One of a list, each as often as its weight says. */
  pickWeighted<T extends { readonly weight: number }>(list: readonly T[]): T {
    let left = this.below(list.reduce((sum, { weight }) => sum + weight, 0))
    for (const one of list) {
      left -= one.weight
      if (left < 0) return one
    }
    return list[0] as T
  }
}

/** A seed for a run that was given none. */
export function newSeed(): number {
  return Math.floor(Math.random() * 0x7fff_ffff)
}
