/**
 * How many requests a minute: of one client, of all clients of a tenant, with the tokens of one task. The counts are shared by
 * all processes. A client is counted once its signature is verified and its assertion used for the first time, a task once
 * the caller's way in is established: nobody spends what is another's (attack cases M01, M03).
 */
import { type Refusal, refuse } from '../core/refusal.ts'
import type { Tenant } from '../core/tenant.ts'
import type { Counters } from './ports.ts'

/** Seconds. Windows follow one another, so twice as many requests may pass around the end of one. */
export const RATE_WINDOW = 60

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

export function createRateLimits(counters: Counters): RateLimits {
  /** What was over, and in which window. No more than there are clients of tenants, and tasks that are over. */
  const over = new Map<string, number>()
  let swept = 0

  function isKnown(tenant: Tenant, { id }: Limit, now: number): boolean {
    const window = windowOf(now)
    if (window > swept) {
      for (const [key, old] of over) if (old < window) over.delete(key)
      swept = window
    }
    return over.get(keyOf(tenant, id)) === window
  }

  async function count(
    tenant: Tenant,
    limits: readonly Limit[],
    now: number,
  ): Promise<Refusal | undefined> {
    const known = limits.find((limit) => isKnown(tenant, limit, now))
    if (known !== undefined) return limited(known.guard, now, 'told')
    // Together: one commit of the store.
    const counted = await Promise.all(
      limits.map(async (limit) => {
        const { id } = limit
        const request = { tenant: tenant.id, id, window: RATE_WINDOW, now }
        return { limit, count: await counters.count(request) }
      }),
    )
    const first = counted.find(({ limit, count: found }) => found > limit.most)
    if (first === undefined) return undefined
    const { id, guard, most } = first.limit
    over.set(keyOf(tenant, id), windowOf(now))
    // The counter is atomic: of all requests in all processes exactly one is the first too many, and is on record for all.
    return limited(guard, now, first.count === most + 1 ? 'new' : 'told')
  }

  return {
    findOver(tenant, client, now) {
      const known = clientLimits(tenant, client).find((limit) => isKnown(tenant, limit, now))
      return known === undefined ? undefined : limited(known.guard, now, 'told')
    },
    countClient: (tenant, client, now) => count(tenant, clientLimits(tenant, client), now),
    countTask: (tenant, txn, now) => count(tenant, [taskLimit(tenant, txn)], now),
  }
}

function windowOf(now: number): number {
  return Math.floor(now / RATE_WINDOW)
}

function keyOf({ id: tenant }: Tenant, id: readonly string[]): string {
  return JSON.stringify([tenant, ...id])
}

function clientLimits({ limits }: Tenant, client: string): readonly Limit[] {
  return [
    { guard: 'requests_per_client', id: ['client', client], most: limits.requestsPerClient },
    { guard: 'requests_per_tenant', id: ['tenant'], most: limits.requestsPerTenant },
  ]
}

function taskLimit({ limits }: Tenant, txn: string): Limit {
  return { guard: 'requests_per_task', id: ['task', txn], most: limits.requestsPerTask }
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
