/**
 * What a crash left undecided: hops recorded whose audit entry may never have been written. With an entry the hop stands;
 * without one no token of it left the process, and it is revoked.
 */
import type { Clock, FindIssued, InterruptedHop, TaskStore } from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { pendingRange, pendingSince } from './keys.ts'
import { readAddress } from './records.ts'

/** A younger hop may be in flight in another process. */
const IN_FLIGHT_SECONDS = 10

export interface RecoveryDeps {
  readonly environment: Environment
  readonly tasks: TaskStore
  readonly clock: Clock
  readonly findIssued: FindIssued
  /** Puts on record that the token of this hop never left. The hop stays pending where that fails. */
  readonly recordRevoked: (hop: InterruptedHop) => Promise<void>
}

/** Settles or revokes every pending hop that is old enough. Reads the record only when there is one. */
export async function recover(deps: RecoveryDeps): Promise<void> {
  deps.environment.refresh()
  const old = pendingRange(deps.clock.now() - IN_FLIGHT_SECONDS)
  const pending = deps.environment.range(old, Infinity)
  const [oldest] = pending
  if (oldest === undefined) return
  const hops = pending.map(({ value }) => readAddress(value))
  const issued = await deps.findIssued(hops, pendingSince(oldest.key))
  for (const hop of hops) {
    const { tenant, txn, jti } = hop
    if (!issued.has(hop)) {
      await deps.tasks.revokeHop(tenant, txn, jti)
      await deps.recordRevoked(hop)
    }
    await deps.tasks.settleHop(tenant, txn, jti)
  }
}
