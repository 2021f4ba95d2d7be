/** Agents of a tenant as they are live, and the one thing that is changed of them by hand. */
import {
  isManagementRefusal,
  type ManagementRefusal,
  refuseManagement,
} from '../../core/management-refusal.ts'
import type { Agent } from '../../core/tenant.ts'
import type { AuthorRole } from '../../use-cases/author.ts'
import type { LiveState } from '../../use-cases/ports.ts'
import { setAgentDisabled } from '../../use-cases/set-agent-disabled.ts'
import type { ManagementDeps } from './management-deps.ts'
import { pageOf } from './paging.ts'
import { readIfMatch, tagOf } from './preconditions.ts'
import { EVERY_ROLE, type Parameters, type Reply, type Route, route } from './route.ts'
import { agentChange, agentView, listOf, nothing, pageQuery } from './schemas.ts'
import { liveTenant, toInstant } from './tenants.ts'

const AGENTS = '/admin/v1/tenants/{tenant}/agents'
const DISABLERS: readonly AuthorRole[] = ['operator', 'admin', 'helpdesk']
const SMALL_BODY = 16 * 1024

export const AGENT_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: AGENTS,
    name: 'list_agents',
    summary: 'Agents of the live version',
    roles: EVERY_ROLE,
    query: pageQuery,
    answers: { 200: { text: 'By id.', schema: listOf(agentView) } },
    refusals: ['not_found'],
    handle: (deps, { parameters, query }) => {
      const tenant = liveTenant(deps, parameters['tenant'])
      if ('kind' in tenant) return tenant
      const agents = [...tenant.agents.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
      const page = pageOf(agents, ({ id }) => id, query)
      if ('kind' in page) return page
      const live = deps.versions.live(tenant.id)
      const items = page.items.map((agent) => viewOf(agent, live))
      return { status: 200, body: { ...page, items } }
    },
  }),
  route({
    method: 'GET',
    path: `${AGENTS}/{agent}`,
    name: 'read_agent',
    summary: 'One agent of the live version',
    roles: EVERY_ROLE,
    query: nothing,
    answers: { 200: { text: 'ETag is the revision of the live state.', schema: agentView } },
    refusals: ['not_found'],
    handle: (deps, { parameters }) => replyWith(deps, parameters),
  }),
  route({
    method: 'PUT',
    path: `${AGENTS}/{agent}`,
    name: 'set_agent_disabled',
    summary: 'Disables an agent from the next exchange on, everywhere; or lifts that',
    roles: DISABLERS,
    query: nothing,
    body: { schema: agentChange, limit: SMALL_BODY },
    preconditions: 'If-Match',
    answers: { 200: { text: 'As it is now.', schema: agentView } },
    refusals: ['not_found', 'precondition_failed'],
    handle: async (deps, { author, parameters, body, ifMatch, record }) => {
      const { tenant = '', agent = '' } = parameters
      const { disabled } = body
      const expected = readRevision(ifMatch)
      if (isManagementRefusal(expected)) return expected
      record.note({ agent, action: disabled ? 'disable_agent' : 'enable_agent' })
      const change = { tenant, author, agent, disabled, expected, record }
      const refusal = await setAgentDisabled(deps, change)
      return refusal ?? replyWith(deps, parameters)
    },
  }),
]

function readRevision(header: string | undefined): number | undefined | ManagementRefusal {
  const tag = readIfMatch(header)
  if (typeof tag !== 'string') return tag
  // Whatever is not a number of ours is a tag that does not match.
  return /^(?:0|[1-9][0-9]{0,14})$/.test(tag)
    ? Number(tag)
    : refuseManagement('precondition_failed')
}

function replyWith(deps: ManagementDeps, parameters: Parameters): Reply | ManagementRefusal {
  const tenant = liveTenant(deps, parameters['tenant'])
  if ('kind' in tenant) return tenant
  const agent = tenant.agents.get(parameters['agent'] ?? '')
  if (agent === undefined) return refuseManagement('not_found', 'agent_unknown')
  const live = deps.versions.live(tenant.id)
  return { status: 200, body: viewOf(agent, live), headers: { etag: tagOf(live.revision) } }
}

function viewOf(agent: Agent, live: LiveState) {
  const isByHand = live.disabledAgents.has(agent.id)
  return {
    id: agent.id,
    owner: agent.owner,
    class: agent.class,
    purpose: agent.purpose,
    scopes: [...agent.scopes],
    may_reach: [...agent.mayReach],
    home: agent.home,
    binding: agent.binding,
    expires: agent.expires === undefined ? undefined : toInstant(agent.expires),
    disabled: agent.disabled || isByHand,
    disabled_by_hand: isByHand,
    registered_at: agent.registeredAt === undefined ? undefined : toInstant(agent.registeredAt),
  }
}
