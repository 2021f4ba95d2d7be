/** Which agent a SPIFFE ID is, among few and among ten thousand. */
import { describe, expect, test } from 'vitest'
import { parseSpiffeId } from '../../../server/core/spiffe-id.ts'
import type { Tenant } from '../../../server/core/tenant.ts'
import { findSpiffeAgent } from '../../../server/oauth/authentication/spiffe-agents.ts'
import { anAgent, aTenant } from '../../core/facts.ts'

type Method = 'spiffe_jwt' | 'spiffe_x509'

function tenantOf(ids: Readonly<Record<string, string>>, method: Method = 'spiffe_jwt'): Tenant {
  const agents = Object.entries(ids).map(([id, spiffeId]) =>
    anAgent(id, { auth: { method, spiffeId } }),
  )
  return aTenant({ agents })
}

const find = (tenant: Tenant, text: string, method: Method = 'spiffe_jwt') =>
  findSpiffeAgent(tenant, method, parseSpiffeId(text)!)?.id

describe('an id', () => {
  const tenant = tenantOf({
    exact: 'spiffe://a.example/agents/planner',
    all: 'spiffe://a.example/*',
    some: 'spiffe://a.example/agents/*',
    deep: 'spiffe://a.example/agents/x/y/*',
    other: 'spiffe://b.example/agents/*',
  })

  test.each([
    ['spiffe://a.example/agents/planner', 'exact'],
    ['spiffe://a.example/agents/planner/0', 'some'],
    ['spiffe://a.example/agents/Planner', 'some'],
    ['spiffe://a.example/agents/x', 'some'],
    ['spiffe://a.example/agents/x/y', 'some'],
    ['spiffe://a.example/agents/x/y/z', 'deep'],
    ['spiffe://a.example/agents/x/y/z/0', 'deep'],
    // SPCA-reg-01: whole segments, and at least one.
    ['spiffe://a.example/agentsx', 'all'],
    ['spiffe://a.example/agents', 'all'],
    ['spiffe://b.example/agents/planner', 'other'],
    ['spiffe://b.example/agents', undefined],
    ['spiffe://b.example/agentsx/y', undefined],
    ['spiffe://c.example/agents/planner', undefined],
  ])('%s is %s', (text, agent) => {
    expect(find(tenant, text)).toBe(agent)
  })

  test('of an agent with another method is nobody', () => {
    expect(find(tenant, 'spiffe://a.example/agents/planner', 'spiffe_x509')).toBeUndefined()
    const x509 = tenantOf({ a: 'spiffe://a.example/a' }, 'spiffe_x509')
    expect(find(x509, 'spiffe://a.example/a')).toBeUndefined()
    expect(find(x509, 'spiffe://a.example/a', 'spiffe_x509')).toBe('a')
  })

  test('of two agents is neither', () => {
    const two = tenantOf({
      a: 'spiffe://a.example/x',
      b: 'spiffe://a.example/x',
      c: 'spiffe://a.example/*',
    })
    expect(find(two, 'spiffe://a.example/x')).toBeUndefined()
    expect(find(two, 'spiffe://a.example/y')).toBe('c')
  })
})

test('of ten thousand agents each is found, and they are read once', () => {
  const ids = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, at) => [`agent-${at}`, `spiffe://a.example/agents/${at}`]),
  )
  const tenant = tenantOf(ids)
  let reads = 0
  const values = tenant.agents.values.bind(tenant.agents)
  Object.assign(tenant.agents, {
    values: () => {
      reads += 1
      return values()
    },
  })
  for (const at of [0, 4711, 9_999]) {
    expect(find(tenant, `spiffe://a.example/agents/${at}`)).toBe(`agent-${at}`)
  }
  expect(find(tenant, 'spiffe://a.example/agents/10000')).toBeUndefined()
  // One for each method.
  expect(reads).toBe(2)
})
