import { describe, expect, test } from 'vitest'
import { formatProblem } from '../../server/core/problem.ts'
import type { Agent, Resource, TaskType, Tenant } from '../../server/core/tenant.ts'
import { loadTenants } from '../../server/tenants/load-tenants.ts'

function loadAcme(): Tenant {
  const folder = new URL('../../tenants', import.meta.url).pathname
  const result = loadTenants({ folder, publicUrl: 'https://as.example.com' })
  if (result.kind === 'refused') throw new Error(result.problems.map(formatProblem).join('\n'))
  expect(result.warnings).toEqual([])
  return result.tenants.get('acme')!.tenant
}

const acme = loadAcme()
const agentOf = (id: string): Agent => acme.agents.get(id)!
const resourceOf = (id: string): Resource => acme.resources.get(id)!
const type: TaskType = acme.taskTypes.get('ledger-correction')!

/** The masks of a token for an agent, all of it requested, as docs/chain-format.md has them. */
function handOn(parent: { scope: number; reach: number }, from: string, target: string) {
  const { agent, scopes } = resourceOf(target)
  const recipient = agentOf(agent!)
  const scope = type.scopes.map(
    (name, bit) =>
      bitOf(parent.scope, bit) &&
      agentOf(from).scopes.has(name) &&
      recipient.scopes.has(name) &&
      scopes.has(name),
  )
  const reach = type.reach.map(
    (id, bit) => bitOf(parent.reach, bit) && (recipient.mayReach.has(id) || id === target),
  )
  expect(agentOf(from).mayReach.has(target)).toBe(true)
  expect(bitOf(parent.reach, type.reach.indexOf(target))).toBe(true)
  return { scope: maskOf(scope), reach: maskOf(reach) }
}

const bitOf = (mask: number, bit: number) => (mask & (1 << bit)) !== 0
const maskOf = (bits: readonly boolean[]) =>
  bits.reduce((mask, bit, index) => (bit ? mask | (1 << index) : mask), 0)

const root = {
  scope: maskOf(type.scopes.map((name) => agentOf('planner').scopes.has(name))),
  reach: maskOf(type.reach.map((id) => agentOf('planner').mayReach.has(id))),
}

describe('the sample tenant tells the story of the chain format', () => {
  test('the root lists scopes and places in the order of the printed token', () => {
    expect(type.scopes.join(' ')).toBe('docs:read crm:read ledger:read ledger:propose mail:send')
    expect(type.reach.slice(0, 3).map((id) => resourceOf(id).uri)).toEqual([
      'https://researcher.acme.example/a2a',
      'https://ledger-writer.acme.example/a2a',
      'https://ledger.acme.example/api',
    ])
    expect(root).toEqual({ scope: 31, reach: 31 })
    expect(type).toMatchObject({ maxDepth: 4, lifetime: 900, tokenLifetime: 300 })
  })

  test('planner, researcher and ledger-writer narrow it as printed', () => {
    const first = handOn(root, 'planner', 'researcher-a2a')
    expect(first).toEqual({ scope: 15, reach: 7 })
    const second = handOn(first, 'researcher', 'ledger-writer-a2a')
    expect(second).toEqual({ scope: 14, reach: 6 })
    const ledger = resourceOf('ledger-api').scopes
    const defined = type.scopes.map((name, bit) => bitOf(second.scope, bit) && ledger.has(name))
    expect(maskOf(defined)).toBe(12)
    expect(1 << type.reach.indexOf('ledger-api')).toBe(4)
  })

  test('only its depth keeps the longest chain from a fifth agent', () => {
    const one = handOn(root, 'planner', 'archivist-a2a')
    const two = handOn(one, 'archivist', 'reviewer-a2a')
    const three = handOn(two, 'reviewer', 'researcher-a2a')
    const fourth = handOn(three, 'researcher', 'ledger-writer-a2a')
    expect(fourth.scope).not.toBe(0)
    expect(fourth.reach).not.toBe(0)
    expect(type.maxDepth).toBe(4)
  })

  test('a user has one kind of task, so the planner need not name it', () => {
    const forUsers = [...acme.taskTypes.values()].filter(({ basis }) => basis === 'policy')
    expect(forUsers.map(({ id }) => id)).toEqual(['ledger-correction'])
    expect(acme.taskTypes.get('own-housekeeping')).toMatchObject({
      basis: 'client',
      openers: new Set(['planner']),
    })
  })

  test('nobody hands work to the mailer, and no agent may post', () => {
    const agents = [...acme.agents.values()]
    expect([...acme.resources.values()].filter(({ agent }) => agent === 'mailer')).toEqual([
      acme.resources.get('mailer.home'),
    ])
    expect(agents.filter(({ mayReach }) => mayReach.has('mail-api')).map(({ id }) => id)).toEqual([
      'mailer',
    ])
    expect(agents.filter(({ scopes }) => scopes.has('ledger:post'))).toEqual([])
  })

  test('every agent has development keys and a client id at the development issuer', () => {
    for (const agent of acme.agents.values()) {
      expect(agent.auth).toEqual({ method: 'private_key_jwt', jwks: [], development: true })
      expect([...agent.issuerClients]).toEqual([['dev-idp', agent.id]])
    }
  })
})
