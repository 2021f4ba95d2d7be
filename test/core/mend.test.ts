/** The lines a folder lacks for a case to be permitted; none where somebody decided against it. */
import { describe, expect, test } from 'vitest'
import type { Case } from '../../server/core/case.ts'
import { findChange } from '../../server/core/mend.ts'
import type { Agent, Tenant } from '../../server/core/tenant.ts'
import { aCase, anAgent, anApi, anEndpoint, aTaskType, aTenant, NOW, rulesOf } from './facts.ts'

const CHAIN = ['planner', 'researcher']
const withAgents = (...agents: readonly Agent[]): Tenant =>
  aTenant({
    agents: ['planner', 'researcher', 'coder', 'rogue'].map(
      (id) => agents.find((agent) => agent.id === id) ?? anAgent(id),
    ),
  })

describe('the change that would permit', () => {
  const changeOf = (tenant: Tenant, parts: Partial<Case> = {}) => findChange(tenant, aCase(parts))

  test.each<[string, Tenant, Partial<Case>, readonly object[]]>([
    [
      'a resource the caller may reach',
      withAgents(anAgent('planner', { mayReach: new Set() })),
      {},
      [{ file: 'agents.yaml', entry: 'planner', member: 'may_reach', value: 'files-api' }],
    ],
    [
      'a resource the task reaches',
      aTenant({ taskTypes: [aTaskType({ reach: ['mail-api'] })] }),
      {},
      [{ file: 'task-types.yaml', entry: 'file-work', member: 'reach', value: 'files-api' }],
    ],
    [
      'the way back to the opener, whose home every task reaches',
      withAgents(anAgent('researcher', { mayReach: new Set() })),
      { actors: CHAIN, resource: 'planner-a2a' },
      [{ file: 'agents.yaml', entry: 'researcher', member: 'may_reach', value: 'planner-a2a' }],
    ],
    [
      'a scope of an agent on the way',
      withAgents(anAgent('researcher', { scopes: new Set(['mail:send']) })),
      { actors: CHAIN },
      [{ file: 'agents.yaml', entry: 'researcher', member: 'scopes', value: 'files:read' }],
    ],
    [
      'a scope of the task type',
      aTenant({ taskTypes: [aTaskType({ scopes: ['mail:send'] })] }),
      {},
      [{ file: 'task-types.yaml', entry: 'file-work', member: 'scopes', value: 'files:read' }],
    ],
    [
      'a scope an endpoint accepts',
      aTenant({
        agents: ['planner', 'researcher'].map((id) => anAgent(id)),
        resources: [
          anEndpoint('planner'),
          anEndpoint('researcher', { scopes: new Set(['mail:send']) }),
          anApi('files'),
        ],
      }),
      { resource: 'researcher-a2a' },
      [{ file: 'resources.yaml', entry: 'researcher-a2a', member: 'scopes', value: 'files:read' }],
    ],
    [
      'a scope each agent on the way can be handed',
      aTenant({
        agents: [
          anAgent('planner'),
          anAgent('researcher', { scopes: new Set() }),
          anAgent('coder', { scopes: new Set() }),
        ],
        resources: [
          anEndpoint('planner'),
          anEndpoint('researcher', { scopes: new Set() }),
          anEndpoint('coder', { scopes: new Set(['mail:send']) }),
          anApi('files'),
        ],
      }),
      { actors: ['planner', 'researcher', 'coder'] },
      [
        { file: 'resources.yaml', entry: 'researcher-a2a', member: 'scopes', value: 'files:read' },
        { file: 'agents.yaml', entry: 'researcher', member: 'scopes', value: 'files:read' },
        { file: 'resources.yaml', entry: 'coder-a2a', member: 'scopes', value: 'files:read' },
        { file: 'agents.yaml', entry: 'coder', member: 'scopes', value: 'files:read' },
      ],
    ],
    [
      'a scope of the opener, which its home accepts then',
      aTenant({
        agents: [anAgent('planner', { home: 'planner.home', scopes: new Set(['mail:send']) })],
        resources: [
          anEndpoint('planner', { id: 'planner.home', scopes: new Set(['mail:send']) }),
          anApi('files'),
        ],
      }),
      { resource: 'planner.home' },
      [{ file: 'agents.yaml', entry: 'planner', member: 'scopes', value: 'files:read' }],
    ],
    [
      'depth, of the task type and of the tenant',
      aTenant({
        taskTypes: [aTaskType({ maxDepth: 1 })],
        tenant: { limits: { ...aTenant().limits, maxDepth: 1 } },
      }),
      { actors: CHAIN },
      [
        { file: 'task-types.yaml', entry: 'file-work', member: 'max_depth', value: 2 },
        { file: 'tenant.yaml', member: 'max_depth', value: 2 },
      ],
    ],
  ])('is %s', (_, tenant, parts, expected) => {
    expect(changeOf(tenant, parts)).toEqual(expected)
  })

  const full = (count: number, first: string) => [
    first,
    ...Array.from({ length: count - 1 }, (_, at) => `x-${at}`),
  ]

  test.each<[string, Tenant, Partial<Case>]>([
    ['nothing is wrong', aTenant(), {}],
    ['an agent is disabled', withAgents(anAgent('planner', { disabled: true })), {}],
    ['an agent has expired', withAgents(anAgent('planner', { expires: NOW })), {}],
    ['an agent is unknown', aTenant(), { actors: ['nobody'] }],
    ['the resource is unknown', aTenant(), { resource: 'nobody' }],
    ['the scope is unknown', aTenant(), { scope: ['unheard:of'] }],
    ['the API has no such scope', aTenant(), { scope: ['mail:send'] }],
    [
      'the next agent has no endpoint that a file could name',
      aTenant({
        agents: [anAgent('planner'), anAgent('researcher', { home: 'researcher.home' })],
        resources: [
          anEndpoint('planner'),
          anEndpoint('researcher', { id: 'researcher.home' }),
          anApi('files'),
        ],
      }),
      { actors: CHAIN },
    ],
    ['the agent opens no such task', aTenant(), { actors: ['coder'] }],
    ['only an approval is missing', aTenant(), { resource: 'pay-api', scope: ['pay:transfer'] }],
    [
      'the task type is full of scopes',
      aTenant({ taskTypes: [aTaskType({ scopes: full(31, 'files:write') })] }),
      {},
    ],
    [
      'the task type is full of places',
      aTenant({ taskTypes: [aTaskType({ reach: full(30, 'mail-api') })] }),
      {},
    ],
    [
      'no chain can be that long',
      aTenant({
        agents: Array.from({ length: 9 }, (_, at) =>
          anAgent(`a${at}`, { mayReach: new Set(['files-api', `a${at + 1}-a2a`]) }),
        ),
        taskTypes: [aTaskType({ openers: new Set(['a0']), maxDepth: 8 })],
      }),
      { actors: Array.from({ length: 9 }, (_, at) => `a${at}`) },
    ],
  ])('is none where %s', (_, tenant, parts) => {
    expect(changeOf(tenant, parts)).toBeUndefined()
  })

  test('is none where the rules would still refuse with it', () => {
    const closed = withAgents(anAgent('planner', { mayReach: new Set() }))
    const rules = rulesOf(({ action }) =>
      action === 'call' ? { decision: 'refuse', policies: ['no'] } : {},
    )
    expect(changeOf(closed)).toHaveLength(1)
    expect(changeOf({ ...closed, rules })).toBeUndefined()
  })
})
