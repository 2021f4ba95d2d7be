/** Streams of security events over plain maps: the reference. One process, so a verb without an await in it is one step. */
import { streamUpdatedOf } from '../../server/core/security-event.ts'
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
} from '../../server/use-cases/ports.ts'

interface Held {
  readonly tenant: string
  stream: EventStream
  next: number
  waiting: WaitingEvent[]
  /** Of a stream that was paused here: the id of the last event that is sent still. */
  lastSent: string | undefined
  claim: { readonly holder: string; readonly until: number } | undefined
  attempts: number
  notBefore: number
}

export class MemoryEventStore implements EventStore {
  readonly #held: Held[] = []
  readonly #most: number

  constructor(most = 10_000) {
    this.#most = most
  }

  #find(tenant: string, id: string): Held | undefined {
    return this.#held.find((held) => held.tenant === tenant && held.stream.id === id)
  }

  #own(tenant: string, receiver: string): Held | undefined {
    return this.#held.find((held) => held.tenant === tenant && held.stream.receiver === receiver)
  }

  streamOf(tenant: string, receiver: string): EventStream | undefined {
    return this.#own(tenant, receiver)?.stream
  }

  async createStream(tenant: string, stream: EventStream): Promise<boolean> {
    if (this.#own(tenant, stream.receiver) !== undefined) return false
    const empty = { next: 0, waiting: [], lastSent: undefined }
    this.#held.push({ tenant, stream, ...empty, claim: undefined, attempts: 0, notBefore: 0 })
    return true
  }

  async changeStream(
    tenant: string,
    id: string,
    { wishes, status }: StreamChange,
  ): Promise<EventStream | undefined> {
    const held = this.#find(tenant, id)
    if (held === undefined) return undefined
    held.stream = { ...held.stream, ...wishes, ...status }
    if (status !== undefined) held.lastSent = undefined
    if (status?.status === 'enabled') held.stream = { ...held.stream, lost: 0 }
    if (held.stream.status === 'disabled') held.waiting = []
    Object.assign(held, { attempts: 0, notBefore: 0 })
    return held.stream
  }

  async removeStream(tenant: string, id: string): Promise<boolean> {
    const held = this.#find(tenant, id)
    if (held === undefined) return false
    this.#held.splice(this.#held.indexOf(held), 1)
    return true
  }

  async append(
    tenant: string,
    events: readonly EventFor[],
    now: number,
  ): Promise<readonly AppendOutcome[]> {
    return events.map((event) => {
      const held = this.#own(tenant, event.receiver)
      const isAsked = held?.stream.eventsRequested?.includes(event.content.type) ?? true
      return held === undefined || !isAsked ? 'unasked' : this.#append(held, event, now)
    })
  }

  async verify(
    tenant: string,
    event: EventFor,
    { now, interval }: { readonly now: number; readonly interval: number },
  ): Promise<AppendOutcome | 'too_soon'> {
    const held = this.#own(tenant, event.receiver)
    if (held === undefined) return 'unasked'
    if (now - held.stream.verifiedAt < interval) return 'too_soon'
    held.stream = { ...held.stream, verifiedAt: now }
    return this.#append(held, event, now)
  }

  #append(held: Held, { id, content }: EventFor, now: number): AppendOutcome {
    const { stream } = held
    if (stream.status === 'disabled') return 'unasked'
    if (held.waiting.length < this.#most) {
      held.waiting.push({ jti: this.#jti(held, id), content })
      return 'waiting'
    }
    held.stream = { ...stream, lost: stream.lost + 1 }
    if (stream.status === 'paused') return 'lost'
    const reason = 'queue_full'
    held.stream = { ...held.stream, status: 'paused', reason }
    held.lastSent = this.#jti(held, id)
    held.waiting.push({ jti: held.lastSent, content: streamUpdatedOf(stream.id, reason, now) })
    return 'paused'
  }

  #jti(held: Held, id: string): string {
    held.next += 1
    return `${id}.${held.next - 1}`
  }

  #sendable({ stream, waiting, lastSent }: Held): readonly WaitingEvent[] {
    if (stream.status === 'enabled') return waiting
    const last = waiting.findIndex(({ jti }) => jti === lastSent)
    return stream.status === 'paused' ? waiting.slice(0, last + 1) : []
  }

  read(
    tenant: string,
    id: string,
    limit: number,
  ): { readonly events: readonly WaitingEvent[]; readonly more: boolean } {
    const held = this.#find(tenant, id)
    const events = held === undefined ? [] : this.#sendable(held)
    return { events: events.slice(0, limit), more: events.length > limit }
  }

  async acknowledge(tenant: string, id: string, jtis: readonly string[]): Promise<void> {
    const held = this.#find(tenant, id)
    if (held !== undefined) held.waiting = held.waiting.filter(({ jti }) => !jtis.includes(jti))
  }

  #isDue(held: Held, now: number, holder?: string): boolean {
    const { stream, claim, notBefore } = held
    if (stream.delivery.method !== 'push' || this.#sendable(held).length === 0) return false
    const isFree = claim === undefined || claim.holder === holder || claim.until <= now
    return now >= notBefore && isFree
  }

  due(now: number): readonly { readonly tenant: string; readonly stream: string }[] {
    const due = this.#held.filter((held) => this.#isDue(held, now))
    return due.map(({ tenant, stream }) => ({ tenant, stream: stream.id }))
  }

  async claimPush({
    tenant,
    stream,
    holder,
    now,
    until,
  }: PushClaim): Promise<ClaimedPush | undefined> {
    const held = this.#find(tenant, stream)
    if (held === undefined || !this.#isDue(held, now, holder)) return undefined
    const [event] = this.#sendable(held)
    if (event === undefined) return undefined
    held.claim = { holder, until }
    return { stream: held.stream, event, attempts: held.attempts }
  }

  async settlePush({ tenant, stream, holder, jti, againAt }: SettledPush): Promise<void> {
    const held = this.#find(tenant, stream)
    if (held === undefined || held.claim?.holder !== holder) return
    held.claim = undefined
    if (againAt === undefined) {
      held.waiting = held.waiting.filter((event) => event.jti !== jti)
      Object.assign(held, { attempts: 0, notBefore: 0 })
    } else {
      Object.assign(held, { attempts: held.attempts + 1, notBefore: againAt })
    }
  }
}
