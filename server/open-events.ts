/**
 * Wires security events: who is told and how (streams, polled and pushed), who tells us, and the keys that sign what is sent,
 * which sign nothing else.
 */
import { randomBytes } from 'node:crypto'
import { type Keyring, openKeyring } from '../keys/keyring.ts'
import { createTextSeal } from '../keys/text-seal.ts'
import type { Config } from './config.ts'
import { isRefusal } from './core/refusal.ts'
import type { Tenant } from './core/tenant.ts'
import { createEventPusher } from './event-pusher.ts'
import { createEventSender } from './fetch/event-sender.ts'
import { pause } from './heal-tasks.ts'
import type { RequestListener } from './http/dispatch.ts'
import { createTransmitter } from './http/ssf/transmitter.ts'
import type { IssuerKeys } from './oauth/foreign-token.ts'
import { createEventReader } from './oauth/inbound-event.ts'
import type { PeerLimits } from './oauth/peer-limits.ts'
import { createEventMint } from './oauth/security-event-token.ts'
import type { EmbeddedStore } from './store/embedded/store.ts'
import type { Log } from './telemetry/log.ts'
import type { AuditLog, Clock, Telemetry, Tenants } from './use-cases/ports.ts'
import type { SecurityEvents } from './use-cases/security-events.ts'
import type { SharedSignals } from './use-cases/shared-signals.ts'
import { createSecurityEvents } from './use-cases/tell-receivers.ts'
import { createWaitingPlaces } from './waiting-places.ts'

export interface EventsEdges {
  readonly log: Log
  readonly clock: Clock
  readonly tenants: Tenants
  readonly present: readonly Tenant[]
  readonly store: Pick<EmbeddedStore, 'events' | 'replay' | 'tasks'> & {
    readonly audit: AuditLog
  }
  readonly issuerKeys: IssuerKeys
  readonly peers: PeerLimits
  readonly randomId: () => string
  /** Seals the keys that sign events, and what receivers want kept. */
  readonly secret: string
  readonly telemetry: Telemetry
  readonly onFault: (fault: unknown, ref: string | undefined, tenant: string) => void
}

export interface OpenedEvents {
  readonly securityEvents: SecurityEvents
  readonly sharedSignals: SharedSignals
  /** Metadata, keys, and the door of transmitters. */
  readonly listener: RequestListener
  /** Requests that wait are answered now, and no push is begun. */
  drain(): void
  /** Resolves when the pushes under way have ended. */
  close(): Promise<void>
}

export function openEvents(config: Config, edges: EventsEdges): OpenedEvents {
  const { log, clock, tenants, store, randomId, peers, onFault } = edges
  const { events: eventStore, audit } = store
  const keyringOf = createEventKeyrings(config, edges.secret)
  // The first look makes an RSA key, which takes a while: at the start, not in a request.
  for (const tenant of edges.present) if (tenant.eventReceivers.size > 0) keyringOf(tenant)
  const mintEvent = createEventMint(keyringOf)
  const textSeal = createTextSeal(edges.secret)
  const pusher = createEventPusher({
    clock,
    tenants,
    audit,
    randomId,
    eventStore,
    mintEvent,
    push: createEventSender({ loopbackOrigins: new Set(config.loopbackOrigins) }),
    unseal: (tenant, sealed) => textSeal.open(placeOf(tenant), sealed),
    holder: randomBytes(16).toString('base64url'),
    onPushFailed: (tenant, client, reason) =>
      log.warn({ event: 'event_push_failed', tenant, client, reason }),
    onFault: (fault, tenant) => onFault(fault, undefined, tenant),
  })
  const shared = { clock, audit, randomId, eventStore, wakePush: pusher.wake }
  const securityEvents = createSecurityEvents({
    ...shared,
    onStreamFull: (tenant, client) => log.error({ event: 'event_stream_full', tenant, client }),
  })
  const places = createWaitingPlaces()
  const transmitter = createTransmitter({
    ...store,
    clock,
    tenants,
    randomId,
    securityEvents,
    pause,
    eventKeys: (tenant) => keyringOf(tenant).jwks,
    readEvent: createEventReader({ issuerKeys: edges.issuerKeys, clock }),
    peers: {
      isOver: (address) => isRefusal(peers.findOver(address, clock.now())),
      countFailure: (address) => peers.countFailure(address, clock.now()),
    },
    telemetry: edges.telemetry,
    onFault,
  })
  return {
    securityEvents,
    sharedSignals: {
      ...shared,
      mintEvent,
      waitingPlace: places.take,
      pause: places.pause,
      seal: (tenant, text) => textSeal.seal(placeOf(tenant), text),
    },
    listener: transmitter,
    drain: () => {
      places.close()
      pusher.drain()
    },
    close: pusher.close,
  }
}

/** A key of its own for each tenant: RS256 is what receivers take (CAEP interoperability profile §2.6), and access tokens are not signed with it. */
function createEventKeyrings({ dataFolder }: Config, secret: string): (tenant: Tenant) => Keyring {
  const opened = new Map<string, Keyring>()
  return ({ id }) => {
    const place = { dataFolder, owner: `${id}.events`, secret }
    const keyring = opened.get(id) ?? openKeyring(place, 'RS256')
    opened.set(id, keyring)
    return keyring
  }
}

const placeOf = (tenant: string): string => `event stream of ${tenant}`
