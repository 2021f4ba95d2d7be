/**
 * What other products are told when something of a tenant ends (OpenID Shared Signals Framework 1.0, CAEP 1.0). Whoever ends
 * something calls this port after the store's step and before its acknowledgement: what was acknowledged is told, whatever
 * crashes then. To call it again for the same ending is harmless: receivers may be told twice, never not at all.
 */
import type { Tenant } from '../core/tenant.ts'
import type { Ending, TaskRecord } from './task-store.ts'

/** Times and authors are those of the ending, so that one told again says the same. */
export type SecurityEvent =
  /** Its state became closed, revoked or suspended. */
  | { readonly kind: 'task_ended'; readonly task: EndedTask; readonly ending: Ending }
  /** A suspended task is open again. */
  | {
      readonly kind: 'task_resumed'
      readonly task: TaskOfEvent
      readonly ending: Ending
      /** As they are again now. */
      readonly scope: readonly string[]
    }
  /** Tokens that were taken out one by one or with their place; the task goes on. */
  | {
      readonly kind: 'tokens_revoked'
      readonly task: TaskOfEvent
      readonly ending: Ending
      readonly jtis: readonly string[]
    }
  /** Everything of a subject, once, however many tasks there were; `task_ended` is not told for each. */
  | { readonly kind: 'subject_revoked'; readonly subject: RevokedSubject; readonly ending: Ending }

export type TaskOfEvent = Pick<TaskRecord, 'txn' | 'subject' | 'subjectFrom' | 'rootJti'>

export interface EndedTask extends TaskOfEvent {
  /** What it became, not what it was. */
  readonly state: 'closed' | 'revoked' | 'suspended'
}

export interface RevokedSubject {
  /** The tenant's own identifier, with the issuer's prefix. */
  readonly id: string
  /** Id of the revocation: the events of one cause share it. */
  readonly revocation: string
}

export interface SecurityEvents {
  /**
   * Resolves once it is in the store for every receiver, whose delivery goes on in the background. Where a tenant has no
   * receivers it does nothing. Throws where it cannot be kept: the caller answers 503, and is asked again.
   */
  emit(tenant: Tenant, event: SecurityEvent): Promise<void>
}

/** For whoever has no receivers. */
export const NO_SECURITY_EVENTS: SecurityEvents = { emit: () => Promise.resolve() }
