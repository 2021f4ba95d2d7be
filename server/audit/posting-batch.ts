/**
 * What one transaction adds to a log: gathered, then each block of a term is read and written once, however many entries of
 * it there are. A posting is the last octet of an index, within its block.
 */
import type { Environment } from '../store/embedded/environment.ts'
import type { StoredEntry } from '../use-cases/ports.ts'
import { BLOCK, blockOf, countKey, postingKey, postingPrefix } from './index-keys.ts'
import { termsOf } from './search-terms.ts'
import { type Span, widened, writeSpans } from './time-spans.ts'

export class PostingBatch {
  readonly log: number
  #known: number
  #waiting = 0
  /** By term and block. */
  readonly #postings = new Map<string, Map<number, number[]>>()
  /** By block. */
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
    const block = blockOf(index)
    this.#spans.set(block, widened(this.#spans.get(block), entry.time))
    for (const term of termsOf(entry)) this.#post(term, block, index % BLOCK)
  }

  #post(term: string, block: number, posting: number): void {
    let ofTerm = this.#postings.get(term)
    if (ofTerm === undefined) this.#postings.set(term, (ofTerm = new Map()))
    const postings = ofTerm.get(block)
    if (postings === undefined) ofTerm.set(block, [posting])
    else if (postings.at(-1) !== posting) postings.push(posting)
    this.#waiting += 1
  }

  /** Inside the transaction; nothing waits after it. */
  write(environment: Environment): void {
    for (const [term, blocks] of this.#postings) {
      const prefix = postingPrefix(this.log, term)
      for (const [block, postings] of blocks) {
        const key = postingKey(prefix, block)
        const before = environment.get(key)
        const added = Buffer.from(postings)
        environment.put(key, before === undefined ? added : Buffer.concat([before, added]))
      }
    }
    writeSpans(environment, this.log, this.#spans)
    const count = Buffer.alloc(8)
    count.writeDoubleBE(this.#known)
    environment.put(countKey(this.log), count)
    this.#postings.clear()
    this.#spans.clear()
    this.#waiting = 0
  }
}
