/**
 * Every agent has a resource of its own, its home: an endpoint from the folder, or `{issuer}/agents/{agent}`
 * (docs/chain-format.md §3).
 */
import type { Agent, Resource } from '../core/tenant.ts'
import type { AgentEntry } from './agents-file.ts'
import type { ResourceEntry } from './resources-file.ts'

/** Ids from the folder have no dot, so no resource there can take this one. */
export function homeId(agent: string): string {
  return `${agent}.home`
}

/** Ids of the endpoints of each agent that has any, in the folder's order. */
export type Endpoints = ReadonlyMap<string, readonly string[]>

export function endpointsByAgent(resources: readonly ResourceEntry[]): Endpoints {
  const endpoints = new Map<string, string[]>()
  for (const resource of resources) {
    if (resource.kind !== 'agent') continue
    const known = endpoints.get(resource.agent) ?? []
    known.push(resource.id)
    endpoints.set(resource.agent, known)
  }
  return endpoints
}

/** The id of an agent's home. Which of several endpoints it is must be stated, and is checked before. */
export function readHome(agent: AgentEntry, endpoints: Endpoints): string {
  return agent.home ?? endpoints.get(agent.id)?.[0] ?? homeId(agent.id)
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
