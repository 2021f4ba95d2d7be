/** Streams of security events over the embedded store. What is read is what any process committed until now. */
import type {
  AppendOutcome,
  ClaimedPush,
  EventFor,
  EventStore,
  EventStream,
  PushClaim,
  SettledPush,
  StreamChange,
  WaitingEvent,
} from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { isDue } from './event-pushes.ts'
import { findOwnStream, findStream, readStream, readWaiting } from './event-records.ts'
import { everyStream } from './keys.ts'
import type { Writer } from './writer.ts'

/** Events that wait in one stream: as many as a revocation of everything an agent does may make. */
const MOST_WAITING = 10_000
/** Streams of all tenants together that are looked at for what is due. */
const MOST_STREAMS = 100_000

export class EmbeddedEventStore implements EventStore {
  readonly #environment: Environment
  readonly #writer: Writer
  readonly #most: number

  constructor(environment: Environment, writer: Writer, most = MOST_WAITING) {
    this.#environment = environment
    this.#writer = writer
    this.#most = most
  }

  streamOf(tenant: string, receiver: string): EventStream | undefined {
    this.#environment.refresh()
    return findOwnStream(this.#environment, tenant, receiver)?.stream
  }

  async createStream(tenant: string, stream: EventStream): Promise<boolean> {
    return this.#writer.write('createStream', { tenant, stream })
  }

  async changeStream(
    tenant: string,
    id: string,
    change: StreamChange,
  ): Promise<EventStream | undefined> {
    return this.#writer.write('changeStream', { tenant, id, change })
  }

  async removeStream(tenant: string, id: string): Promise<boolean> {
    return this.#writer.write('removeStream', { tenant, id })
  }

  async append(
    tenant: string,
    events: readonly EventFor[],
    now: number,
  ): Promise<readonly AppendOutcome[]> {
    return this.#writer.write('appendEvents', { tenant, events, now, most: this.#most })
  }

  async verify(
    tenant: string,
    event: EventFor,
    asked: { readonly now: number; readonly interval: number },
  ): Promise<AppendOutcome | 'too_soon'> {
    return this.#writer.write('verifyStream', { tenant, event, ...asked, most: this.#most })
  }

  read(
    tenant: string,
    id: string,
    limit: number,
  ): { readonly events: readonly WaitingEvent[]; readonly more: boolean } {
    this.#environment.refresh()
    const stored = findStream(this.#environment, tenant, id)
    if (stored === undefined) return { events: [], more: false }
    const events = readWaiting(this.#environment, stored, limit + 1)
    return { events: events.slice(0, limit), more: events.length > limit }
  }

  async acknowledge(tenant: string, id: string, jtis: readonly string[]): Promise<void> {
    return this.#writer.write('acknowledgeEvents', { tenant, id, jtis })
  }

  due(now: number): readonly { readonly tenant: string; readonly stream: string }[] {
    this.#environment.refresh()
    return this.#environment
      .range(everyStream, MOST_STREAMS)
      .map(({ value }) => readStream(value))
      .filter((stored) => isDue(stored, now))
      .map(({ tenant, stream }) => ({ tenant, stream: stream.id }))
  }

  async claimPush(claim: PushClaim): Promise<ClaimedPush | undefined> {
    return this.#writer.write('claimPush', claim)
  }

  async settlePush(settled: SettledPush): Promise<void> {
    return this.#writer.write('settlePush', settled)
  }
}
