/**
 * The most that facts leave of a case, whatever the rules say: what a person with the tenant's folder and the platform's own
 * forbids would expect, told in sets. Written from docs/chain-format.md §3 and nothing of the server's decisions.
 */
import type { Case } from '../../server/core/case.ts'
import type { Agent, Resource, TaskType, Tenant } from '../../server/core/tenant.ts'

type Names = ReadonlySet<string>
const NONE: Names = new Set()
const both = (a: Names, b: Iterable<string>): Names => new Set([...b].filter((name) => a.has(name)))

/** Scopes the last agent of the case may at most be given; empty where a forbid of the platform closes the way. */
export function mostOf(tenant: Tenant, asked: Case): Names {
  const actors = asked.actors.flatMap((id) => tenant.agents.get(id) ?? [])
  const [opener] = actors
  if (opener === undefined || actors.length !== asked.actors.length) return NONE
  if (new Set(asked.actors).size !== actors.length) return NONE
  if (!actors.every((agent) => works(agent, asked) && provesItsKey(agent, asked))) return NONE
  const { subject } = asked
  if (subject !== undefined && (tenant.agents.has(subject) || tenant.disabledSubjects.has(subject)))
    return NONE
  const most = typesOf(tenant, opener, asked).map((type) => walk(tenant, type, actors, asked))
  return new Set(most.flatMap((names) => [...names]))
}

function works({ disabled, expires }: Agent, { now }: Case): boolean {
  return !disabled && (expires === undefined || expires > now)
}

function provesItsKey({ binding }: Agent, { key }: Case): boolean {
  return binding === 'bearer' || key === undefined || key === binding
}

/** Every task type the opener may open, over every issuer it could have a token of. */
function typesOf(tenant: Tenant, opener: Agent, asked: Case): readonly TaskType[] {
  return [...tenant.taskTypes.values()].filter((type) => {
    if (asked.taskType !== undefined && asked.taskType !== type.id) return false
    if (!type.openers.has(opener.id)) return false
    if (asked.subject === undefined) return type.basis === 'client'
    const issuers = [...opener.issuerClients.keys()].filter(
      (id) => asked.issuer === undefined || asked.issuer === id,
    )
    return type.basis === 'policy' && issuers.some((id) => type.subjectsFrom.has(id))
  })
}

function walk(tenant: Tenant, type: TaskType, actors: readonly Agent[], asked: Case): Names {
  if (actors.length > Math.min(type.maxDepth, tenant.limits.maxDepth)) return NONE
  let scope: Names = new Set(type.scopes.filter((name) => isWithoutApproval(tenant, name)))
  let reach: Names = new Set([...type.reach, actors[0]?.home ?? ''])
  for (const [at, caller] of actors.entries()) {
    const next = actors[at + 1]
    const target = next === undefined ? resourceOf(tenant, asked.resource) : homeOf(tenant, next)
    if (target === undefined || !reach.has(target.id)) return NONE
    if (target.id !== caller.home && !caller.mayReach.has(target.id)) return NONE
    scope = both(both(scope, caller.scopes), target.scopes)
    const recipient = target.agent === undefined ? undefined : tenant.agents.get(target.agent)
    reach = both(reach, [target.id, ...(recipient?.mayReach ?? [])])
    if (target.kind === 'agent') {
      if (recipient === undefined || !works(recipient, asked)) return NONE
      scope = both(scope, recipient.scopes)
    }
  }
  return scope
}

function isWithoutApproval(tenant: Tenant, name: string): boolean {
  const tier = tenant.scopes.get(name)?.tier
  return tier === 'read' || tier === 'propose'
}

function resourceOf(tenant: Tenant, name: string): Resource | undefined {
  return [...tenant.resources.values()].find(({ id, uri }) => id === name || uri === name)
}

function homeOf(tenant: Tenant, { home }: Agent): Resource | undefined {
  return tenant.resources.get(home)
}
