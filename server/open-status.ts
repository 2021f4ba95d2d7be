/** Wires what verifiers read: status lists and the feed, over what the store says of every process's commits. */
import type { Keyring } from '../keys/keyring.ts'
import type { Tenant } from './core/tenant.ts'
import type { RequestListener } from './http/dispatch.ts'
import { createFeedStreams } from './http/feed.ts'
import { createStatus } from './http/status.ts'
import { compressStatuses, statusSigner } from './oauth/status-token.ts'
import type { Log } from './telemetry/log.ts'
import type { Clock, StatusLists, Tenants } from './use-cases/ports.ts'
import { createListPublisher } from './use-cases/publish-list.ts'
import { createStatusFeed } from './use-cases/status-feed.ts'

export interface StatusEdges {
  readonly clock: Clock
  readonly log: Log
  readonly tenants: Tenants
  readonly statusLists: StatusLists
  /** Addresses that speak for many listeners. */
  readonly proxies: readonly string[]
  readonly keyringOf: (tenant: Tenant) => Keyring
  readonly onFault: (fault: unknown, fields: { readonly tenant?: string }) => void
}

export interface Status {
  readonly listener: RequestListener
  /** Who listens to the feed here. */
  listeners(): number
  /** Ends every stream. */
  drain(): void
}

export function openStatus(edges: StatusEdges): Status {
  const { clock, log, tenants, statusLists, proxies, keyringOf, onFault } = edges
  const signerOf = (tenant: Tenant) => statusSigner(keyringOf(tenant))
  const feed = createStatusFeed({
    clock,
    tenants,
    statusLists,
    signerOf,
    every,
    onFault: (fault, tenant) => onFault(fault, { tenant }),
  })
  const streams = createFeedStreams({
    feed,
    proxies,
    onFull: (place, tenant) => log.warn({ event: 'feed_full', tenant, reason: place }),
  })
  const listener = createStatus({
    tenantOf: (id) => tenants.find(id),
    lists: createListPublisher({ clock, statusLists, signerOf, compress: compressStatuses }),
    streams,
    onFault: (fault) => onFault(fault, {}),
  })
  return { listener, listeners: () => streams.count(), drain: () => streams.close() }
}

function every(milliseconds: number, work: () => void): () => void {
  const timer = setInterval(work, milliseconds)
  return () => clearInterval(timer)
}
