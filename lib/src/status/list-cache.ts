/**
 * The lists in use, each as of when it is known to have been current. Fetched one flight at a time and at a bounded rate, whatever
 * tokens and messages arrive; what came later never makes less strict what is held.
 */
import { wordsOf } from '../fault.ts'
import { fetchBytes } from '../fetch-bytes.ts'
import type { RevocationDeps } from '../revocation.ts'
import { type FeedMessage, MAX_LISTS_NAMED } from './feed-message.ts'
import { ageOf, type Clock, MAX_AHEAD_SECONDS, momentOf, type Stamp, stampOf } from './freshness.ts'
import type { KeyNews } from './key-news.ts'
import { StatementRefused } from './statement.ts'
import { MAX_LIST_BYTES, readStatusList, type StatusList } from './status-list.ts'
import { startTimer } from './timer.ts'

/** Lists held. An issuer has one for each window of time in which tasks were opened; those no token needs leave first. */
const MAX_LISTS = 64
const FETCH_MILLISECONDS = 2_000
/** Seconds between the beginnings of two fetches of one list for a token. */
const DEMAND_SECONDS = 1
/**
 * Seconds between two when the feed says that it changed, in the long run; so many seconds of that may be used in advance, so that
 * a single revocation waits for nothing.
 */
const CHANGE_SECONDS = 0.5
const CHANGE_ADVANCE_SECONDS = 1.5
/** Seconds since a list was last asked for in which its changes are followed. */
const IN_USE_SECONDS = 60
/** Part of its life before the end of which a list in use is read again. */
const RENEWAL_PART = 3

export interface HeldList {
  readonly list: StatusList
  readonly own: Stamp
  /** Since the feed said that it changed: when it was last known to be current. */
  lapsed: Stamp | undefined
}

interface Slot {
  readonly uri: string
  held: HeldList | undefined
  flight: Promise<void> | undefined
  /** In ticks. */
  attemptedAt: number
  /** When what was fetched so far would have been, in even steps. */
  evenly: number
  usedAt: number
  failed: boolean
}

export class ListCache {
  readonly #deps: RevocationDeps
  readonly #clock: Clock
  readonly #news: KeyNews
  readonly #slots = new Map<string, Slot>()
  /** By URI, the newest change the feed told of; where one is no longer remembered, `#forgotten` is not less. */
  readonly #changes = new Map<string, number>()
  #forgotten = 0
  /** Of the newest message of the feed: every list that did not change after it was read is current as of then. */
  #confirmed: Stamp | undefined
  /** Of the store that message was of. */
  #generation: string | undefined
  readonly #pauses = new Set<() => void>()
  #closed = false

  constructor(deps: RevocationDeps, clock: Clock, news: KeyNews) {
    this.#deps = deps
    this.#clock = clock
    this.#news = news
  }

  /** What is held of a list; it counts as asked for. */
  find(uri: string): HeldList | undefined {
    const slot = this.#slots.get(uri)
    if (slot === undefined) return undefined
    slot.usedAt = this.#clock.tick()
    return slot.held
  }

  /** Seconds since the list is known to have been current; infinite once it has expired. */
  ageOf({ list, own, lapsed }: HeldList): number {
    const moment = momentOf(this.#clock)
    const { iat, exp, uri } = list
    if (moment.now >= exp) return Number.POSITIVE_INFINITY
    // Before it ends, so that nobody has to wait then.
    if (moment.now > exp - (exp - iat) / RENEWAL_PART) this.#refreshSoon(uri)
    const told = lapsed ?? (list.gen === this.#generation ? this.#confirmed : undefined)
    const age = ageOf(own, moment)
    return told === undefined ? age : Math.min(age, ageOf(told, moment))
  }

  /** Resolves when the list was fetched once more; at once where that failed just now. */
  async renew(uri: string): Promise<void> {
    const slot = this.#slotOf(uri)
    if (slot.flight === undefined && slot.failed && this.#demandWait(slot) > 0) return
    await this.#fetchSoon(slot, this.#demandWait(slot))
  }

  /** Takes in a message that follows the last one without a gap. */
  apply(message: FeedMessage, stamp: Stamp): void {
    if (message.gen !== this.#generation) this.#beginAnew(message.gen)
    for (const [uri, changedAt] of message.lists) {
      this.#note(uri, changedAt)
      const slot = this.#slots.get(uri)
      if (slot?.held === undefined || changedAt <= slot.held.list.seq) continue
      slot.held.lapsed ??= this.#confirmed ?? slot.held.own
      this.#follow(slot)
    }
    this.#confirmed = stamp
  }

  /** The store was lost: what it counted says nothing of this one, and its lists are confirmed by nobody any more. */
  #beginAnew(generation: string): void {
    this.#generation = generation
    this.#changes.clear()
    this.#forgotten = 0
    this.#confirmed = undefined
  }

  /** Nothing is fetched from now on. */
  close(): void {
    this.#closed = true
    for (const end of this.#pauses) end()
  }

  #refreshSoon(uri: string): void {
    const slot = this.#slots.get(uri)
    if (slot !== undefined && slot.flight === undefined && this.#demandWait(slot) <= 0)
      void this.#fetchSoon(slot, 0)
  }

  /** A list that changed is read again, and again until what is read is as new as what was told. */
  #follow(slot: Slot): void {
    if (this.#closed || slot.flight !== undefined || slot.held?.lapsed === undefined) return
    if (this.#clock.tick() - slot.usedAt > IN_USE_SECONDS) return
    const soonest = slot.evenly - CHANGE_ADVANCE_SECONDS - this.#clock.tick()
    void this.#fetchSoon(slot, slot.failed ? this.#demandWait(slot) : soonest)
  }

  #demandWait({ attemptedAt }: Slot): number {
    return attemptedAt + DEMAND_SECONDS - this.#clock.tick()
  }

  /** Single flight: everyone who needs this list waits for the same one. Never rejects. */
  #fetchSoon(slot: Slot, wait: number): Promise<void> {
    slot.flight ??= this.#fetchLater(slot, wait).finally(() => {
      slot.flight = undefined
      this.#follow(slot)
    })
    return slot.flight
  }

  async #fetchLater(slot: Slot, wait: number): Promise<void> {
    if (wait > 0 && !this.#closed) await this.#pause(wait)
    if (!this.#closed) await this.#load(slot)
  }

  async #load(slot: Slot): Promise<void> {
    const { fetch, onFault } = this.#deps
    const { uri } = slot
    // Of before the answer: it cannot have been current later than it was asked for, by our clock.
    const asked = momentOf(this.#clock)
    slot.attemptedAt = asked.tick
    slot.evenly = Math.max(slot.evenly, asked.tick) + CHANGE_SECONDS
    slot.failed = true
    try {
      const bytes = await fetchBytes(uri, fetch, {
        // Behind a cache a list may be as old as its bound; this one has to be new.
        headers: { accept: 'application/statuslist+jwt', 'cache-control': 'no-cache' },
        milliseconds: FETCH_MILLISECONDS,
        maxBytes: MAX_LIST_BYTES,
      })
      const text = new TextDecoder().decode(bytes)
      const list = await readStatusList(this.#deps, this.#clock, uri, text)
      this.#install(slot, list, stampOf(list.iat, asked))
      slot.failed = false
      if (list.kids !== undefined) this.#news.takeNewer(list.kids, list.iat)
    } catch (error) {
      const kind = error instanceof StatementRefused ? 'status_refused' : 'status_unreadable'
      onFault({ kind, detail: `${wordsOf(error)}: ${uri}` })
    }
  }

  #install(slot: Slot, list: StatusList, own: Stamp): void {
    const held = slot.held?.list
    if (held !== undefined) {
      // H06: what is held was signed by the issuer too, and it is stricter.
      if (list.seq < held.seq) throw new StatementRefused('it goes back behind the list held')
      // Several clocks may sign, a second apart; only with new content is that believed.
      const ahead = held.iat - list.iat
      if (ahead > (list.seq === held.seq ? 0 : MAX_AHEAD_SECONDS))
        throw new StatementRefused('it is older than the list held')
      // The same again is as old as it was.
      if (list.seq === held.seq && ahead === 0) return
    }
    const changedAt = this.#changes.get(list.uri) ?? this.#forgotten
    slot.held = { list, own, lapsed: list.seq < changedAt ? own : undefined }
  }

  #slotOf(uri: string): Slot {
    const known = this.#slots.get(uri)
    if (known !== undefined) return known
    const usedAt = this.#clock.tick()
    const slot: Slot = {
      uri,
      held: undefined,
      flight: undefined,
      attemptedAt: Number.NEGATIVE_INFINITY,
      evenly: Number.NEGATIVE_INFINITY,
      usedAt,
      failed: false,
    }
    if (this.#slots.size >= MAX_LISTS) this.#forgetOne()
    this.#slots.set(uri, slot)
    return slot
  }

  #forgetOne(): void {
    const [first, ...others] = this.#slots.values()
    const oldest = others.reduce(
      (old, slot) => (slot.usedAt < (old?.usedAt ?? 0) ? slot : old),
      first,
    )
    if (oldest !== undefined) this.#slots.delete(oldest.uri)
  }

  #note(uri: string, changedAt: number): void {
    const known = this.#changes.get(uri) ?? 0
    this.#changes.delete(uri)
    this.#changes.set(uri, Math.max(known, changedAt))
    if (this.#changes.size <= MAX_LISTS_NAMED) return
    for (const [oldest, forgotten] of this.#changes) {
      this.#changes.delete(oldest)
      this.#forgotten = Math.max(this.#forgotten, forgotten)
      return
    }
  }

  #pause(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel()
        this.#pauses.delete(end)
        resolve()
      }
      const cancel = startTimer(end, seconds)
      this.#pauses.add(end)
    })
  }
}
