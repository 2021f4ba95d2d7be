/**
 * Streams of security events and what waits in them, as the store keeps them (OpenID Shared Signals Framework 1.0 §8). Every
 * verb is one atomic step across processes. Times are seconds since the epoch.
 */
import type { EventContent } from '../core/security-event.ts'

/** `paused`: held back, up to a bound. `disabled`: neither sent nor held. */
export type StreamStatus = 'enabled' | 'paused' | 'disabled'

export type StreamDelivery =
  | { readonly method: 'poll' }
  | {
      readonly method: 'push'
      readonly endpoint: string
      /** Value of the header the receiver asked for, sealed; undefined: none. */
      readonly authorization: string | undefined
    }

/** What its receiver says of a stream. */
export interface StreamWishes {
  readonly delivery: StreamDelivery
  /** Event types; undefined: all there are. */
  readonly eventsRequested: readonly string[] | undefined
  readonly description: string | undefined
}

export interface EventStream extends StreamWishes {
  readonly id: string
  /** Receiver id; a receiver has one stream at most. */
  readonly receiver: string
  readonly status: StreamStatus
  readonly reason: string | undefined
  /** Events that were not kept since it was last enabled, because as many waited as may. */
  readonly lost: number
  /** When a verification was last asked for; 0: never. */
  readonly verifiedAt: number
}

/** An event for one receiver, on its way into its stream. */
export interface EventFor {
  readonly receiver: string
  /** 128 random bits. */
  readonly id: string
  readonly content: EventContent
}

/** An event in a stream. */
export interface WaitingEvent {
  /** Its `jti`, the same whenever it is sent. */
  readonly jti: string
  readonly content: EventContent
}

/**
 * `paused`: as many waited as may, so this one was not kept, and the stream is paused from now on; its receiver is told in
 * the stream. `lost`: it was so already. `unasked`: no stream, a disabled one, or a type that was not asked for.
 */
export type AppendOutcome = 'waiting' | 'paused' | 'lost' | 'unasked'

export interface StreamChange {
  readonly wishes?: StreamWishes
  readonly status?: { readonly status: StreamStatus; readonly reason: string | undefined }
}

export interface PushClaim {
  readonly tenant: string
  readonly stream: string
  /** The process that pushes; random. */
  readonly holder: string
  readonly now: number
  /** When the claim ends by itself. */
  readonly until: number
}

export interface ClaimedPush {
  readonly stream: EventStream
  readonly event: WaitingEvent
  /** How often this event was sent before. */
  readonly attempts: number
}

export interface SettledPush {
  readonly tenant: string
  readonly stream: string
  readonly holder: string
  readonly jti: string
  /** When it is sent again; undefined: never, it leaves the stream. */
  readonly againAt: number | undefined
}

export interface EventStore {
  streamOf(tenant: string, receiver: string): EventStream | undefined
  /** False where its receiver has one already; nothing was written then. */
  createStream(tenant: string, stream: EventStream): Promise<boolean>
  /** Disabling forgets what waits. Undefined where there is no such stream. */
  changeStream(
    tenant: string,
    stream: string,
    change: StreamChange,
  ): Promise<EventStream | undefined>
  /** With all that waits in it; false where there is none. */
  removeStream(tenant: string, stream: string): Promise<boolean>
  /** At the end of each receiver's stream. */
  append(
    tenant: string,
    events: readonly EventFor[],
    now: number,
  ): Promise<readonly AppendOutcome[]>
  /**
   * A verification, whatever types were asked for; `too_soon`: less than `interval` seconds after the last one.
   */
  verify(
    tenant: string,
    event: EventFor,
    asked: { readonly now: number; readonly interval: number },
  ): Promise<AppendOutcome | 'too_soon'>
  /** What may be sent now, oldest first, at most `limit`. Reads shared memory. */
  read(
    tenant: string,
    stream: string,
    limit: number,
  ): { readonly events: readonly WaitingEvent[]; readonly more: boolean }
  /** These leave the stream; what is not in it is passed over. */
  acknowledge(tenant: string, stream: string, jtis: readonly string[]): Promise<void>

  /** Streams with something to push now, that nobody is pushing. Reads shared memory. */
  due(now: number): readonly { readonly tenant: string; readonly stream: string }[]
  /** The oldest event, for this holder alone until the claim ends; undefined where there is none to push now. */
  claimPush(claim: PushClaim): Promise<ClaimedPush | undefined>
  /** Ends the claim. What another holder has claimed meanwhile is left alone. */
  settlePush(settled: SettledPush): Promise<void>
}
