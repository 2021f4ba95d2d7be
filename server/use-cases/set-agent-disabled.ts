/**
 * Disables an agent by hand, or lifts that. It holds from the next exchange on in every process, in the middle of chains too
 * (attack case E09); no version and no rollback lifts it. What the agent has is revoked, for verifiers that ask nobody, and
 * stays so when the agent is enabled again.
 */
import { type ManagementRefusal, refuseManagement } from '../core/management-refusal.ts'
import type { Author } from './author.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { TenantVersions } from './ports.ts'
import { type RevokeEverywhereDeps, revokeEverywhere } from './revoke-everywhere.ts'

export interface SetAgentDisabledDeps extends RevokeEverywhereDeps {
  readonly versions: TenantVersions
}

export interface SetAgentDisabledInput {
  readonly tenant: string
  readonly author: Author
  readonly agent: string
  readonly disabled: boolean
  /** Revision of the tenant's live state its author saw; undefined: any. */
  readonly expected: number | undefined
  readonly record: DecisionRecord
}

const DISABLED = 'the agent was disabled'

/**
 * Resolves when the change is durable, what the agent has is revoked, and the entry of both is durable. Undefined: done. A
 * fault after the first leaves the agent disabled; the rest is done again at the next start.
 */
export async function setAgentDisabled(
  deps: SetAgentDisabledDeps,
  input: SetAgentDisabledInput,
): Promise<ManagementRefusal | undefined> {
  const { tenant: id, agent, disabled, expected, author, record } = input
  if (deps.tenants.find(id)?.agents.has(agent) !== true) return refuseManagement('not_found')
  const outcome = await deps.versions.setDisabled(id, agent, { disabled, expected })
  if (outcome === 'conflict') return refuseManagement('precondition_failed')
  const tenant = deps.tenants.find(id)
  if (!disabled || tenant === undefined) {
    await deps.audit.append(record.permitted(deps.clock.now()))
    return undefined
  }
  record.note({ ended_because: DISABLED })
  // The facts first, then the walk: an exchange under way sees the one, or is seen by the other.
  const scope = { kind: 'agent', id: agent } as const
  const ending = { at: deps.clock.now(), by: author.name, reason: DISABLED }
  await revokeEverywhere(deps, { tenant, scope, ending, record })
  return undefined
}
