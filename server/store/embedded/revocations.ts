/** Revocations that have to reach many tasks: on record from before the first task until after the last. */
import type { Revocation } from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { everyRevocation, revocationKey } from './keys.ts'

export interface PendingRevocation {
  readonly tenant: string
  readonly revocation: Revocation
}

export function beginRevocation(environment: Environment, pending: PendingRevocation): void {
  const key = revocationKey(pending.tenant, pending.revocation.id)
  environment.put(key, Buffer.from(JSON.stringify(pending)))
}

export function finishRevocation(
  environment: Environment,
  { tenant, id }: { readonly tenant: string; readonly id: string },
): void {
  environment.remove(revocationKey(tenant, id))
}

export function readRevocations(environment: Environment): readonly PendingRevocation[] {
  const all = environment.range(everyRevocation, Infinity)
  return all.map(({ value }) => JSON.parse(value.toString('utf8')) as PendingRevocation)
}
