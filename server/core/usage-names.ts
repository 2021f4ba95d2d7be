/**
 * What of a tenant's facts can be used, each under one name. Names are made of the tenant's own words alone: a stranger's request
 * makes none.
 */
import type { RoleGrant, Tenant } from './tenant.ts'

/** What one issued token shows of the facts it stands on. */
export interface TokenUse {
  /** Agent ids from the root to the holder. */
  readonly chain: readonly string[]
  readonly taskType: string
  /** Whether this token opened its task. */
  readonly isOpening: boolean
  /** Resource id. */
  readonly target: string
  /** Of an API's token; nothing where the target is an agent, which can only hand them on. */
  readonly scope: readonly string[]
  /** Ids of the rules that permitted. */
  readonly policies: readonly string[]
}

export const agentName = (agent: string): string => `agent ${agent}`
/** An agent as a client that authenticated. */
export const clientName = (agent: string): string => `client ${agent}`
export const keyName = (agent: string, kid: string): string => `key ${agent} ${kid}`
export const scopeName = (agent: string, scope: string): string => `scope ${agent} ${scope}`
export const placeName = (agent: string, resource: string): string => `place ${agent} ${resource}`
export const typeName = (type: string): string => `type ${type}`
export const openerName = (type: string, agent: string): string => `opener ${type} ${agent}`
export const typeScopeName = (type: string, scope: string): string => `type-scope ${type} ${scope}`
export const typePlaceName = (type: string, place: string): string => `type-place ${type} ${place}`
export const ruleName = (policy: string): string => `rule ${policy}`
/** Claim and value are any text. */
export const roleName = ({ role, issuer, claim, value }: RoleGrant): string =>
  `role ${JSON.stringify([role, issuer, claim, value])}`

/** Every agent of the chain had to be allowed what its last one got, so each of them used it. */
export function tokenNames(use: TokenUse): readonly string[] {
  const { chain, taskType, isOpening, target, scope, policies } = use
  const holder = chain.at(-1)
  const names = chain.flatMap((agent) => [
    placeName(agent, target),
    ...scope.map((name) => scopeName(agent, name)),
  ])
  names.push(typePlaceName(taskType, target), ...policies.map(ruleName))
  for (const name of scope) names.push(typeScopeName(taskType, name))
  if (holder === undefined) return names
  names.push(agentName(holder))
  if (isOpening) names.push(typeName(taskType), openerName(taskType, holder))
  return names
}

/** All there are in a tenant's facts. */
export function namesOf(tenant: Tenant): ReadonlySet<string> {
  const names = new Set<string>()
  for (const { id, auth, scopes, mayReach } of tenant.agents.values()) {
    names.add(agentName(id)).add(clientName(id))
    for (const scope of scopes) names.add(scopeName(id, scope))
    for (const resource of mayReach) names.add(placeName(id, resource))
    for (const kid of auth.method === 'private_key_jwt' ? kidsOf(auth) : []) {
      names.add(keyName(id, kid))
    }
  }
  for (const { id, scopes, reach, openers } of tenant.taskTypes.values()) {
    names.add(typeName(id))
    for (const scope of scopes) names.add(typeScopeName(id, scope))
    for (const resource of reach) names.add(typePlaceName(id, resource))
    for (const agent of openers) names.add(openerName(id, agent))
  }
  for (const { id } of tenant.rules.permits) names.add(ruleName(id))
  for (const grant of tenant.roles) names.add(roleName(grant))
  return names
}

/** Of the keys that have one. */
export function kidsOf({
  jwks,
}: {
  readonly jwks: readonly Readonly<Record<string, unknown>>[]
}): readonly string[] {
  return jwks.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : []))
}
