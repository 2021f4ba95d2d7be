/** What is put on record of a hop that a crash interrupted: its token never left the server, and is revoked. */
import type { AuditEntry, InterruptedHop } from './audit-log.ts'

const CRASH = 'the server ended before its entry was on disk'

/** Its `ref` is the token's id, so that a recovery which is interrupted itself writes the same entry again. */
export function interruptedEntry(
  { tenant, txn, jti }: InterruptedHop,
  { now, version }: { readonly now: number; readonly version: string },
): AuditEntry {
  return {
    time: now,
    ref: jti,
    tenant,
    tenant_version: version,
    event: 'token',
    outcome: 'refuse',
    action: 'withdraw_token',
    reason: 'unavailable',
    guard: 'fault',
    txn,
    jti,
    ended_because: CRASH,
  }
}
