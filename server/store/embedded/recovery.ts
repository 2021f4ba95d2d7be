/**
 * What a crash left undecided: hops recorded whose audit entry may never have been written. With an entry the hop stands;
 * without one no token of it left the process, and it is revoked.
 */
import type { Clock, TaskStore } from '../../use-cases/ports.ts'
import type { AuditLine } from './audit-file.ts'
import type { Environment } from './environment.ts'
import { pendingRange } from './keys.ts'
import { type HopAddress, readAddress } from './records.ts'

/** A younger hop may be in flight in another process. */
const IN_FLIGHT_SECONDS = 10

export interface RecoveryDeps {
  readonly environment: Environment
  readonly tasks: TaskStore
  readonly clock: Clock
  readonly readEntries: () => AsyncIterable<AuditLine>
}

/** Settles or revokes every pending hop that is old enough. Reads the audit file only when there is one. */
export async function recover(deps: RecoveryDeps): Promise<void> {
  deps.environment.refresh()
  const old = pendingRange(deps.clock.now() - IN_FLIGHT_SECONDS)
  const pending = deps.environment.range(old, Infinity).map(({ value }) => readAddress(value))
  if (pending.length === 0) return
  const audited = await findAudited(deps, pending)
  for (const { tenant, txn, jti } of pending) {
    if (!audited.has(addressName(tenant, txn, jti))) await deps.tasks.revokeHop(tenant, txn, jti)
    await deps.tasks.settleHop(tenant, txn, jti)
  }
}

const addressName = (...parts: readonly (string | undefined)[]): string => JSON.stringify(parts)

/** Those of the hops that have an entry of a token made. */
async function findAudited(
  deps: RecoveryDeps,
  pending: readonly HopAddress[],
): Promise<ReadonlySet<string>> {
  const wanted = new Set(pending.map(({ tenant, txn, jti }) => addressName(tenant, txn, jti)))
  const found = new Set<string>()
  for await (const line of deps.readEntries()) {
    if (line.kind === 'broken' || line.entry.outcome !== 'permit') continue
    const name = addressName(line.entry.tenant, line.entry.txn, line.entry.jti)
    if (wanted.has(name)) found.add(name)
  }
  return found
}
