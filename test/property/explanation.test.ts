/**
 * An explanation says what was decided and why, and a change it names really permits: made to the tenant by hand, line by
 * line, it does, and with any line left out it does not.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { explain } from '../../server/core/explain.ts'
import { HOP_GUARDS } from '../../server/core/guards.ts'
import { judge } from '../../server/core/judge.ts'
import type { Edit } from '../../server/core/mend.ts'
import { CASE_GUARDS } from '../../server/core/rehearse.ts'
import type { Agent, Resource, TaskType, Tenant } from '../../server/core/tenant.ts'
import { permitAll } from '../core/facts.ts'
import { cases, rules, tenantsWithMadeHomes as tenants } from './random-tenant.ts'

test('an explanation decides as judge does, and its first guard that fails is the one that refused', () => {
  const ofOrder = [...CASE_GUARDS, ...HOP_GUARDS].map(({ name }) => name)
  ofOrder.push('task_type_not_permitted', 'task_type_required', 'root_scope_empty')
  let refused = 0
  fc.assert(
    fc.property(tenants, rules, cases, (facts, ofTenant, asked) => {
      const tenant = { ...facts, rules: ofTenant }
      const { decision, reason, guard, granted } = judge(tenant, asked)
      const said = explain(tenant, asked)
      expect(said).toMatchObject({ decision, granted, tenant: 'acme', version: 'v1' })
      expect({ reason: said.reason, guard: said.guard }).toEqual({ reason, guard })
      expect(JSON.parse(JSON.stringify(said))).toEqual(said)
      const failing = said.guards.filter(({ holds, scope }) => !holds && scope === undefined)
      if (guard === undefined || !ofOrder.includes(guard)) expect(failing).toEqual([])
      else {
        refused += 1
        expect(failing[0]).toMatchObject({ guard })
        expect(said.text).toEqual(expect.any(String))
      }
    }),
    { numRuns: 1500 },
  )
  expect(refused).toBeGreaterThan(100)
})

test('a change it names permits, and every line of it is needed', () => {
  let named = 0
  let most = 0
  fc.assert(
    fc.property(tenants, fc.option(rules, { nil: permitAll }), cases, (facts, ofTenant, asked) => {
      const tenant = { ...facts, rules: ofTenant }
      const { change, decision } = explain(tenant, asked)
      if (change === undefined) return
      named += 1
      most = Math.max(most, change.length)
      expect(decision).toBe('refuse')
      expect(judge(made(tenant, change), asked).decision).toBe('permit')
      for (const left of change) {
        const others = change.filter((edit) => edit !== left)
        expect(
          judge(made(tenant, others), asked).decision,
          JSON.stringify({ change, left }),
        ).not.toBe('permit')
      }
    }),
    { numRuns: 4000 },
  )
  expect(named).toBeGreaterThan(50)
  expect(most).toBeGreaterThan(1)
})

test('what could be asked for instead is permitted as it stands', () => {
  let named = 0
  fc.assert(
    fc.property(tenants, rules, cases, (facts, ofTenant, asked) => {
      const tenant = { ...facts, rules: ofTenant }
      const { ask_instead: instead, decision } = explain(tenant, asked)
      if (instead === undefined) return
      named += 1
      expect(decision).not.toBe('permit')
      expect(judge(tenant, { ...asked, ...instead })).toMatchObject({
        decision: 'permit',
        granted: expect.arrayContaining([...instead.scope]),
      })
    }),
    { numRuns: 3000 },
  )
  expect(named).toBeGreaterThan(20)
})

/** The tenant with these lines in its folder. */
function made(tenant: Tenant, edits: readonly Edit[]): Tenant {
  return edits.reduce(withEdit, tenant)
}

function withEdit(tenant: Tenant, { file, entry = '', member, value }: Edit): Tenant {
  // Nobody can write a line about a home that was made for an agent.
  expect(`${entry} ${value}`).not.toContain('.home')
  switch (file) {
    case 'tenant.yaml':
      expect({ member, entry }).toEqual({ member: 'max_depth', entry: '' })
      return { ...tenant, limits: { ...tenant.limits, maxDepth: Number(value) } }
    case 'agents.yaml':
      return homesMade({
        ...tenant,
        agents: replaced(tenant.agents, entry, agentWith(member, String(value))),
      })
    case 'task-types.yaml': {
      const taskTypes = replaced(tenant.taskTypes, entry, taskTypeWith(member, value))
      return { ...tenant, taskTypes }
    }
    case 'resources.yaml': {
      const resources = replaced(tenant.resources, entry, endpointWith(member, String(value)))
      return withResources(tenant, [...resources.values()])
    }
  }
}

/** As a folder is read: the home made for an agent accepts what the agent holds. */
function homesMade(tenant: Tenant): Tenant {
  const resources = [...tenant.resources.values()].map((resource) =>
    resource.id.endsWith('.home')
      ? { ...resource, scopes: tenant.agents.get(resource.agent!)!.scopes }
      : resource,
  )
  return withResources(tenant, resources)
}

function withResources(tenant: Tenant, resources: readonly Resource[]): Tenant {
  return {
    ...tenant,
    resources: new Map(resources.map((resource) => [resource.id, resource])),
    resourcesByUri: new Map(resources.map((resource) => [resource.uri, resource])),
  }
}

function replaced<Entry>(
  entries: ReadonlyMap<string, Entry>,
  id: string,
  edit: (entry: Entry) => Entry,
): ReadonlyMap<string, Entry> {
  const entry = entries.get(id)
  if (entry === undefined) throw new Error(`there is no ${id}`)
  return new Map([...entries, [id, edit(entry)]])
}

const agentWith = (member: string, value: string) => (agent: Agent) => {
  if (member === 'scopes') return { ...agent, scopes: new Set([...agent.scopes, value]) }
  expect(member).toBe('may_reach')
  return { ...agent, mayReach: new Set([...agent.mayReach, value]) }
}

const taskTypeWith = (member: string, value: string | number) => (type: TaskType) => {
  if (member === 'max_depth') return { ...type, maxDepth: Number(value) }
  if (member === 'scopes') return { ...type, scopes: [...type.scopes, String(value)] }
  expect(member).toBe('reach')
  return { ...type, reach: [...type.reach, String(value)] }
}

/** The scopes of an API are its own: only an endpoint can be opened to one more. */
const endpointWith = (member: string, value: string) => (resource: Resource) => {
  expect({ member, kind: resource.kind }).toEqual({ member: 'scopes', kind: 'agent' })
  return { ...resource, scopes: new Set([...resource.scopes, value]) }
}
