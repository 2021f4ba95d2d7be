/**
 * What is known of one decision while it is made, and the one audit entry it becomes. Created at the door of a request,
 * filled by whoever learns a fact, appended exactly once. Holds ids and reasons only.
 */
import type { Refusal } from '../core/refusal.ts'
import type { AnsweredRequest, AuditEntry, TextName } from './ports.ts'

type Header = Pick<AuditEntry, 'ref' | 'tenant' | 'tenant_version' | 'event'>
type Facts = Partial<
  Omit<AuditEntry, keyof Header | 'time' | 'outcome' | 'reason' | 'guard' | 'texts'>
>

export class DecisionRecord {
  readonly #header: Header
  readonly #facts: Facts = {}
  #texts: AuditEntry['texts']
  #isAppended = false

  constructor(header: Header) {
    this.#header = header
  }

  get ref(): string {
    return this.#header.ref
  }

  /** True once its entry was made: a door appends refusals only where nobody did. */
  get isAppended(): boolean {
    return this.#isAppended
  }

  note(facts: Facts): void {
    Object.assign(this.#facts, facts)
  }

  /** Words of a person or an agent: only a digest of them goes on record. */
  noteText(name: TextName, text: string): void {
    this.#texts = { ...this.#texts, [name]: text }
  }

  permitted(time: number): AuditEntry {
    return this.#entry(time, 'permit')
  }

  /** After `permitted`, which may or may not be on disk: the answer never left, and the token is revoked. */
  withdrawn(time: number): AuditEntry {
    const entry = this.#entry(time, 'refuse')
    return { ...entry, action: 'withdraw_token', reason: 'unavailable', guard: 'fault' }
  }

  /** An entry of something else that was done on the way: with the author, and of the rest what is given. */
  beside(time: number, facts: Facts): AuditEntry {
    const { author, roles, credential, bound_by, traceparent } = this.#facts
    const known = { author, roles, credential, bound_by, traceparent }
    const stated = Object.fromEntries(
      Object.entries(known).filter(([, value]) => value !== undefined),
    )
    return { time, ...this.#header, outcome: 'permit', ...stated, ...facts }
  }

  refused(time: number, refusal: Refusal): AuditEntry {
    const { reason, guard, policies } = refusal
    return {
      ...this.#entry(time, outcomeOf(refusal)),
      reason,
      guard,
      ...(policies === undefined ? {} : { policies }),
    }
  }

  /** What may be told beside the record of how it was answered; `refusal` is absent where it was not refused. */
  answered(status: number, refusal?: { readonly reason: string }): AnsweredRequest {
    const { ref, tenant } = this.#header
    const { client, client_auth, txn } = this.#facts
    return {
      ref,
      tenant,
      status,
      outcome: refusal === undefined ? 'permit' : outcomeOf(refusal),
      ...(refusal !== undefined && { reason: refusal.reason }),
      // Until its credential held, a client is only named.
      ...(client_auth !== undefined && client !== undefined && { client }),
      ...(txn !== undefined && { txn }),
    }
  }

  #entry(time: number, outcome: AuditEntry['outcome']): AuditEntry {
    this.#isAppended = true
    const texts = this.#texts
    return {
      time,
      ...this.#header,
      outcome,
      ...this.#facts,
      ...(texts === undefined ? {} : { texts }),
    }
  }
}

function outcomeOf({ reason }: { readonly reason: string }): 'refuse' | 'ask' {
  return reason === 'approval_required' ? 'ask' : 'refuse'
}
