/**
 * The feed of a tenant as Server-Sent Events (WHATWG HTML §9.2): one stream for each listener, resumed by the last event
 * id. Public: all it says is signed, and what it says is in the status lists too.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FeedMessage, StatusFeed } from '../use-cases/status-feed.ts'
import { type FullPlace, ListenerPlaces, type PlaceLimits } from './listener-places.ts'
import type { PublicProblem } from './problem.ts'

export const EVENT_STREAM = 'text/event-stream'
const PLACES: PlaceLimits = { server: 10_000, tenant: 1000, address: 100 }
/** Octets a listener may leave unread in this process, beyond what its socket takes. */
const MOST_UNREAD = 64 * 1024
/** A number as `id` is written. */
const EVENT_ID = /^(?:0|[1-9]\d{0,15})$/

export interface FeedStreamsDeps {
  readonly feed: StatusFeed
  /** Addresses that speak for many. */
  readonly proxies: Iterable<string>
  /** Told once for each time that no more listeners are taken. */
  readonly onFull: (place: FullPlace, tenant: string) => void
}

export interface FeedStreams {
  /** Answers with a stream, or says why not; then nothing was written. */
  open(tenant: string, req: IncomingMessage, res: ServerResponse): PublicProblem | undefined
  /** Streams that are open. */
  count(): number
  /** Ends every stream; none is opened after it. */
  close(): void
}

export function createFeedStreams({ feed, proxies, onFull }: FeedStreamsDeps): FeedStreams {
  const places = new ListenerPlaces({ limits: PLACES, proxies, onFull })
  let isClosed = false
  let open = 0
  return {
    open: (tenant, req, res) => {
      if (isClosed) return 'unavailable'
      const leave = places.enter({ tenant, address: req.socket.remoteAddress })
      if (leave === undefined) return 'too_many_listeners'
      open += 1
      res.once('close', () => {
        open -= 1
        leave()
      })
      res.writeHead(200, {
        ...STREAM_HEADERS,
        'content-type': EVENT_STREAM,
        // The end of the stream is the end of the connection, so that nothing holds up a shutdown.
        connection: 'close',
      })
      res.flushHeaders()
      const stop = feed.listen(tenant, readEventId(req), {
        tell: (message) => write(res, message),
        end: () => res.end(),
      })
      res.once('close', stop)
      return undefined
    },
    count: () => open,
    close: () => {
      isClosed = true
      feed.close()
    },
  }
}

/** Of every answer at the feed's path; nothing between us and the listener may hold a message back. */
export const STREAM_HEADERS = {
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  'access-control-allow-origin': '*',
  'x-content-type-options': 'nosniff',
} as const

/** What a listener says it was told last; anything but a number is nothing. */
function readEventId({ headersDistinct }: IncomingMessage): number {
  const [id = '', ...more] = headersDistinct['last-event-id'] ?? []
  const sequence = more.length === 0 && EVENT_ID.test(id) ? Number(id) : 0
  return Number.isSafeInteger(sequence) ? sequence : 0
}

function write(res: ServerResponse, { sequence, token }: FeedMessage): void {
  // It does not read: dropped, before what waits for it grows with every message.
  if (res.writableLength > MOST_UNREAD) res.destroy()
  else res.write(`id: ${sequence}\nevent: status\ndata: ${token}\n\n`)
}
