/**
 * Failed client authentications of one peer address. Before a signature is verified the address of the socket is all there is
 * to tell callers by; whoever fails too often is refused before any cryptography. Kept in this process alone. An honest client
 * behind the same address is refused with the others: addresses that speak for many are named in ACTCHAIN_PROXIES.
 */
import { LRUCache } from 'lru-cache'
import { exactAddress, isLoopback, peerOf } from '../core/peer-address.ts'
import type { Refusal } from '../core/refusal.ts'
import { limited, RATE_WINDOW } from '../use-cases/rate-limit.ts'

/** Failures a minute: a client in a loop has a few, a search for a client has thousands. */
export const FAILURES_PER_PEER = 120
/** Peers remembered; the one not seen for longest is forgotten first, and has failed least (attack case M05). */
const MOST_PEERS = 10_000

export interface PeerLimits {
  /** The refusal of a peer that is over the limit. `address` is the socket's, never a header's. */
  findOver(address: string | undefined, now: number): Refusal | undefined
  countFailure(address: string | undefined, now: number): void
  /** Peers remembered. */
  readonly size: number
}

interface Failures {
  readonly window: number
  count: number
  isTold: boolean
}

/** @param proxies addresses that speak for many; loopback always does */
export function createPeerLimits(proxies: Iterable<string>): PeerLimits {
  const exempt = new Set([...proxies].map((address) => exactAddress(address)))
  const peers = new LRUCache<string, Failures>({ max: MOST_PEERS })
  const isExempt = (address: string | undefined): boolean =>
    isLoopback(address) || exempt.has(exactAddress(address))

  function failuresOf(address: string | undefined, now: number): Failures | undefined {
    const found = peers.get(peerOf(address))
    return found?.window === Math.floor(now / RATE_WINDOW) ? found : undefined
  }

  return {
    get size() {
      return peers.size
    },
    findOver(address, now) {
      if (isExempt(address)) return undefined
      const failures = failuresOf(address, now)
      if (failures === undefined || failures.count < FAILURES_PER_PEER) return undefined
      const entry = failures.isTold ? 'told' : 'new'
      failures.isTold = true
      return limited('failures_per_peer', now, entry)
    },
    countFailure(address, now) {
      if (isExempt(address)) return
      const failures = failuresOf(address, now)
      if (failures !== undefined) failures.count += 1
      else {
        const window = Math.floor(now / RATE_WINDOW)
        peers.set(peerOf(address), { window, count: 1, isTold: false })
      }
    },
  }
}
