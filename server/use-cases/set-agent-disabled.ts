/**
 * Disables an agent by hand, or lifts that. It holds from the next exchange on in every process, in the middle of chains too
 * (attack case E09); no version and no rollback lifts it.
 */
import { type ManagementRefusal, refuseManagement } from '../core/management-refusal.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { AuditLog, Clock, Tenants, TenantVersions } from './ports.ts'

export interface SetAgentDisabledDeps {
  readonly clock: Clock
  readonly tenants: Tenants
  readonly versions: TenantVersions
  readonly audit: AuditLog
}

export interface SetAgentDisabledInput {
  readonly tenant: string
  readonly agent: string
  readonly disabled: boolean
  /** Revision of the tenant's live state its author saw; undefined: any. */
  readonly expected: number | undefined
  readonly record: DecisionRecord
}

/** Resolves when the change is durable and its entry too. Undefined: done. */
export async function setAgentDisabled(
  deps: SetAgentDisabledDeps,
  input: SetAgentDisabledInput,
): Promise<ManagementRefusal | undefined> {
  const { tenant, agent, disabled, expected, record } = input
  if (deps.tenants.find(tenant)?.agents.has(agent) !== true) return refuseManagement('not_found')
  const outcome = await deps.versions.setDisabled(tenant, agent, { disabled, expected })
  if (outcome === 'conflict') return refuseManagement('precondition_failed')
  await deps.audit.append(record.permitted(deps.clock.now()))
  return undefined
}
