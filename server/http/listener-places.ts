/**
 * How many listen to the feed, and how many more may: in all, of one tenant, from one address (attack case M05). An open
 * stream costs its listener nothing and the server a socket.
 */
import { exactAddress, isLoopback, peerOf } from '../core/peer-address.ts'

export interface Peer {
  readonly tenant: string
  /** Of the socket. What a header says of it the caller chose. */
  readonly address: string | undefined
}

export interface PlaceLimits {
  readonly server: number
  readonly tenant: number
  readonly address: number
}

export type FullPlace = keyof PlaceLimits

export interface PlacesDeps {
  readonly limits: PlaceLimits
  /** Addresses that speak for many, besides loopback: no limit of one address counts for them. */
  readonly proxies: Iterable<string>
  /** Called once, and again only after half of the listeners there had gone. */
  readonly onFull: (place: FullPlace, tenant: string) => void
}

interface Count {
  listeners: number
  /** That it is full was told, and it has been at least half full since. */
  isTold: boolean
}

export class ListenerPlaces {
  readonly #limits: PlaceLimits
  readonly #proxies: ReadonlySet<string>
  readonly #onFull: PlacesDeps['onFull']
  readonly #counts = new Map<string, Count>()

  constructor({ limits, proxies, onFull }: PlacesDeps) {
    this.#limits = limits
    this.#proxies = new Set([...proxies].map((address) => exactAddress(address)))
    this.#onFull = onFull
  }

  /** How to leave again; undefined where there is no place. */
  enter({ tenant, address }: Peer): (() => void) | undefined {
    const names: (readonly [FullPlace, string])[] = [
      ['server', 'server'],
      ['tenant', `tenant ${tenant}`],
    ]
    if (!this.#speaksForMany(address)) names.push(['address', `address ${peerOf(address)}`])
    for (const [place, name] of names) {
      const count = this.#counts.get(name)
      if (count === undefined || count.listeners < this.#limits[place]) continue
      if (!count.isTold) this.#onFull(place, tenant)
      count.isTold = true
      return undefined
    }
    for (const [, name] of names) this.#add(name)
    return () => {
      for (const [place, name] of names) this.#remove(place, name)
    }
  }

  #speaksForMany(address: string | undefined): boolean {
    return isLoopback(address) || this.#proxies.has(exactAddress(address))
  }

  #add(name: string): void {
    const count = this.#counts.get(name)
    if (count === undefined) this.#counts.set(name, { listeners: 1, isTold: false })
    else count.listeners += 1
  }

  #remove(place: FullPlace, name: string): void {
    const count = this.#counts.get(name)
    if (count === undefined) return
    count.listeners -= 1
    if (count.listeners < this.#limits[place] / 2) count.isTold = false
    if (count.listeners === 0) this.#counts.delete(name)
  }
}
