/**
 * What is known of one decision while it is made, and the one audit entry it becomes. Created at the door of a request,
 * filled by whoever learns a fact, appended exactly once. Holds ids and reasons only.
 */
import type { Refusal } from '../core/refusal.ts'
import type { AuditEntry, TextName } from './ports.ts'

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

  refused(time: number, refusal: Refusal): AuditEntry {
    const outcome = refusal.reason === 'approval_required' ? 'ask' : 'refuse'
    const { reason, guard, policies } = refusal
    return {
      ...this.#entry(time, outcome),
      reason,
      guard,
      ...(policies === undefined ? {} : { policies }),
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
