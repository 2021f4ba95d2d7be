/**
 * What other products are told when something of a tenant ends (OpenID Shared Signals Framework 1.0, CAEP 1.0). Whoever ends
 * something calls this port after the store's step and before its acknowledgement: what was acknowledged is told, whatever
 * crashes then. To call it again for the same ending is harmless: receivers may be told twice, never not at all.
 */
import type { SecurityEvent } from '../core/security-event.ts'
import type { Tenant } from '../core/tenant.ts'

export type { SecurityEvent }

export interface SecurityEvents {
  /**
   * Resolves once it is in the store for every receiver, whose delivery goes on in the background. Where a tenant has no
   * receivers it does nothing. Throws where it cannot be kept: the caller answers 503, and is asked again.
   */
  emit(tenant: Tenant, event: SecurityEvent): Promise<void>
}

/** For whoever has no receivers. */
export const NO_SECURITY_EVENTS: SecurityEvents = { emit: () => Promise.resolve() }
