/**
 * How many requests a minute: of one client, of all clients of a tenant, with the tokens of one task. The counts are shared by
 * all processes. A client is counted once its signature is verified and its assertion used for the first time, a task once
 * the caller's way in is established: nobody spends what is another's (attack cases M01, M03).
 *
 * What the store counts is shares: a process takes a hundredth of a limit at a time and deals it out by itself, so that a
 * request costs no write of its own. Never more than the limit passes; a share that a process did not use up is lost.
 */
import { type Refusal, refuse } from '../core/refusal.ts'
import type { Tenant } from '../core/tenant.ts'
import type { Counters } from './ports.ts'

/** Seconds. Windows follow one another, so twice as many requests may pass around the end of one. */
export const RATE_WINDOW = 60
const SHARES = 100

export interface RateLimits {
  /** The refusal of a client that is known to be over a limit: nothing is counted, no store is asked. */
  findOver(tenant: Tenant, client: string, now: number): Refusal | undefined
  countClient(tenant: Tenant, client: string, now: number): Promise<Refusal | undefined>
  countTask(tenant: Tenant, txn: string, now: number): Promise<Refusal | undefined>
}

type Guard = 'requests_per_client' | 'requests_per_tenant' | 'requests_per_task'

interface Limit {
  readonly guard: Guard
  readonly id: readonly string[]
  readonly most: number
}

/** What this process has of a limit in a window. */
interface Holding {
  readonly window: number
  left: number
  isOver: boolean
  /** Resolves to the number of the share that is being taken, once it is here. */
  taking: Promise<number> | undefined
}

export function createRateLimits(counters: Counters): RateLimits {
  /** One window's: no more than there are clients and tasks that asked in it. */
  const holdings = new Map<string, Holding>()
  let newest = 0

  /** A clock that was read just before the window changed counts in the new one; one that was put back begins anew. */
  function holdingOf(tenant: Tenant, limit: Limit, now: number): Holding {
    const window = Math.floor(now / RATE_WINDOW)
    if (window > newest || window < newest - 1) {
      newest = window
      holdings.clear()
    }
    const key = keyOf(tenant, limit)
    const found = holdings.get(key)
    if (found !== undefined) return found
    const made: Holding = { window: newest, left: 0, isOver: false, taking: undefined }
    holdings.set(key, made)
    return made
  }

  /** Resolves to the share's number, of all processes together. */
  async function takeShare(tenant: Tenant, limit: Limit, holding: Holding): Promise<number> {
    try {
      const number = await counters.count({
        tenant: tenant.id,
        // Another limit from now on is other shares.
        id: [...limit.id, String(limit.most)],
        window: RATE_WINDOW,
        now: holding.window * RATE_WINDOW,
      })
      holding.left = sizeOf(limit, number)
      holding.isOver = holding.left === 0
      return number
    } finally {
      holding.taking = undefined
    }
  }

  async function count(tenant: Tenant, limit: Limit, now: number): Promise<Refusal | undefined> {
    const holding = holdingOf(tenant, limit, now)
    while (holding.left === 0) {
      if (holding.isOver) return limited(limit.guard, now, 'told')
      if (holding.taking === undefined) {
        holding.taking = takeShare(tenant, limit, holding)
        // Of all requests in all processes one finds the first share too many, and is on record for all.
        if ((await holding.taking) === sharesOf(limit) + 1) return limited(limit.guard, now, 'new')
      } else {
        await holding.taking
      }
    }
    holding.left -= 1
    return undefined
  }

  return {
    findOver(tenant, client, now) {
      const over = clientLimits(tenant, client).find(
        (limit) => holdingOf(tenant, limit, now).isOver,
      )
      return over === undefined ? undefined : limited(over.guard, now, 'told')
    },
    async countClient(tenant, client, now) {
      const [own, all] = clientLimits(tenant, client)
      // Who is over the limit of a client takes nothing of the tenant's.
      return (await count(tenant, own, now)) ?? count(tenant, all, now)
    },
    countTask: (tenant, txn, now) => count(tenant, taskLimit(tenant, txn), now),
  }
}

function shareSize({ most }: Limit): number {
  return Math.max(1, Math.floor(most / SHARES))
}

function sharesOf(limit: Limit): number {
  return Math.ceil(limit.most / shareSize(limit))
}

/** Of the share with this number, counted from one; the last may be smaller, those after it are nothing. */
function sizeOf(limit: Limit, number: number): number {
  const size = shareSize(limit)
  return Math.max(0, Math.min(size, limit.most - (number - 1) * size))
}

function clientLimits({ limits }: Tenant, client: string): readonly [Limit, Limit] {
  return [
    { guard: 'requests_per_client', id: ['client', client], most: limits.requestsPerClient },
    { guard: 'requests_per_tenant', id: ['tenant'], most: limits.requestsPerTenant },
  ]
}

function taskLimit({ limits }: Tenant, txn: string): Limit {
  return { guard: 'requests_per_task', id: ['task', txn], most: limits.requestsPerTask }
}

function keyOf({ id: tenant }: Tenant, { id, most }: Limit): string {
  return JSON.stringify([tenant, ...id, most])
}

/** RFC 6585 §4: when to come again. */
export function limited(
  guard: Guard | 'failures_per_peer',
  now: number,
  entry: 'new' | 'told',
): Refusal {
  const retryAfter = RATE_WINDOW - (now % RATE_WINDOW)
  return { ...refuse('rate_limited', guard), limit: { retryAfter, entry } }
}
