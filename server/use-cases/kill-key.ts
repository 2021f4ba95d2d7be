/**
 * Declares a tenant's signing key compromised (attack case K04). From then on every process signs with another key, and what
 * the killed one signed verifies nowhere: tokens, status lists, management tokens of the tenant's people. Verifiers learn it
 * from the event stream, within the bound of a revocation. There is no way back.
 */
import { type KeyRecord, withoutKilled } from '../core/key-plan.ts'
import { type ManagementRefusal, refuseManagement } from '../core/management-refusal.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { RotateKeyDeps } from './rotate-key.ts'

export interface KillKeyInput {
  readonly tenant: string
  /** The key its author means; one that is not published is refused, so that asking twice kills one. */
  readonly kid: string
  /** The author's own words. */
  readonly reason: string
  readonly record: DecisionRecord
}

/**
 * Resolves when the kill is durable, seen by every process, and its entry on disk. Undefined: done. Where the key in use is killed
 * and none waits, another is made before: a disk without room for one leaves the tenant what it has.
 */
export async function killKey(
  deps: RotateKeyDeps,
  { tenant: id, kid, reason, record }: KillKeyInput,
): Promise<ManagementRefusal | undefined> {
  const { clock, versions, keys } = deps
  const tenant = deps.tenants.find(id)
  if (tenant === undefined) return refuseManagement('not_found', 'tenant_unknown')
  record.note({ kid })
  record.noteText('because', reason)
  let heir: KeyRecord | undefined
  for (;;) {
    const { signingKeys } = versions.live(id)
    const left = withoutKilled(signingKeys, kid, { now: clock.now(), heir })
    if (left === 'heir_needed') {
      const number = await versions.reserveKeyNumber(id)
      const made = await keys.make(id, number, tenant.signingAlgorithm)
      heir = { number, ...made, from: 0 }
      continue
    }
    const outcome = left === 'unknown' ? left : await versions.setSigningKeys(id, left)
    if (outcome === 'conflict') continue
    const needed = left === 'unknown' ? [] : left.keys
    if (heir !== undefined && !needed.some(({ number }) => number === heir?.number)) {
      await keys.destroy(id, heir)
    }
    if (left === 'unknown') return refuseManagement('precondition_failed')
    const killed = left.killed.at(-1)
    if (killed !== undefined) await keys.destroy(id, killed)
    await deps.audit.appendRevocation(record.permitted(clock.now()))
    return undefined
  }
}
