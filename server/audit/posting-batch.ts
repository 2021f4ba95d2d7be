/**
 * What one transaction adds to a log: gathered, then what is stored of a term in a group is read and written once, however many
 * entries have it.
 */
import { LRUCache } from 'lru-cache'
import type { Environment } from '../store/embedded/environment.ts'
import type { StoredEntry } from '../use-cases/ports.ts'
import { countKey, digestOf, GROUP, groupOf, postingKey } from './index-keys.ts'
import { withPlaces } from './postings.ts'
import { termsOf } from './search-terms.ts'
import { type Span, spanOf, widened, writeSpans } from './time-spans.ts'

/** Of terms that come again and again: agents, resources, codes. */
const digests = new LRUCache<string, Buffer>({ max: 5000 })

export class PostingBatch {
  readonly log: number
  #known: number
  #waiting = 0
  /** By group and term: places in the group. */
  readonly #groups = new Map<number, Map<string, number[]>>()
  readonly #spans = new Map<number, Span>()

  /** @param known entries the log had before */
  constructor(log: number, known: number) {
    this.log = log
    this.#known = known
  }

  get known(): number {
    return this.#known
  }

  /** Postings that wait to be written. */
  get waiting(): number {
    return this.#waiting
  }

  add(index: number, entry: StoredEntry | undefined): void {
    if (index !== this.#known) throw new RangeError('entries are added in their order')
    this.#known += 1
    if (entry === undefined) return
    const span = spanOf(index)
    this.#spans.set(span, widened(this.#spans.get(span), entry.time))
    const ofGroup = this.#termsIn(groupOf(index))
    for (const term of termsOf(entry)) this.#post(ofGroup, term, index % GROUP)
  }

  #termsIn(group: number): Map<string, number[]> {
    const known = this.#groups.get(group)
    if (known !== undefined) return known
    const made = new Map<string, number[]>()
    this.#groups.set(group, made)
    return made
  }

  #post(ofGroup: Map<string, number[]>, term: string, place: number): void {
    const places = ofGroup.get(term)
    if (places === undefined) ofGroup.set(term, [place])
    else if (places.at(-1) !== place) places.push(place)
    this.#waiting += 1
  }

  /** Inside the transaction; nothing waits after it. */
  write(environment: Environment): void {
    for (const [group, terms] of this.#groups) {
      for (const [term, places] of terms) {
        const key = postingKey(this.log, group, knownDigest(term))
        environment.put(key, withPlaces(environment.get(key), places))
      }
    }
    writeSpans(environment, this.log, this.#spans)
    const count = Buffer.alloc(8)
    count.writeDoubleBE(this.#known)
    environment.put(countKey(this.log), count)
    this.#groups.clear()
    this.#spans.clear()
    this.#waiting = 0
  }
}

function knownDigest(term: string): Buffer {
  const known = digests.get(term)
  if (known !== undefined) return known
  const digest = digestOf(term)
  digests.set(term, digest)
  return digest
}
