/**
 * Every agent has a resource of its own, its home: an endpoint from the folder, or `{issuer}/agents/{agent}`
 * (docs/chain-format.md §3).
 */
import type { Agent, Resource } from '../core/tenant.ts'
import type { AgentEntry, ResourceEntry } from './schema.ts'

/** Ids from the folder have no dot, so no resource there can take this one. */
export function homeId(agent: string): string {
  return `${agent}.home`
}

/** The endpoints of an agent, in the folder's order. */
export function endpointsOf(agent: string, resources: readonly ResourceEntry[]): readonly string[] {
  return resources
    .filter((resource) => resource.kind === 'agent' && resource.agent === agent)
    .map((resource) => resource.id)
}

/** The id of an agent's home. Which of several endpoints it is must be stated, and is checked before. */
export function readHome(agent: AgentEntry, resources: readonly ResourceEntry[]): string {
  return agent.home ?? endpointsOf(agent.id, resources)[0] ?? homeId(agent.id)
}

/** The resource made for an agent without an endpoint. It accepts every scope of the agent. */
export function generatedHome(agent: Agent, issuer: string): Resource {
  return {
    id: homeId(agent.id),
    uri: `${issuer}/agents/${agent.id}`,
    kind: 'agent',
    agent: agent.id,
    scopes: agent.scopes,
    sensitivity: 'low',
    owner: agent.owner,
    keys: [],
  }
}
