import { describe, expect, test } from 'vitest'
import { findSprawl, type Sprawl, type SprawlQuestion, type Use } from '../../server/core/sprawl.ts'
import type { Tenant } from '../../server/core/tenant.ts'
import { namesOf } from '../../server/core/usage-names.ts'
import { anAgent, aTaskType, aTenant, NOW, permitAll } from './facts.ts'

const DAY = 86_400
const LONG = NOW - 200 * DAY
const RULES = { ...permitAll, permits: [{ id: 'all', file: 'policies/a.cedar', line: 3 }] }
const planner = anAgent('planner', {
  scopes: new Set(['files:read', 'mail:send']),
  mayReach: new Set(['files-api', 'mail-api']),
  expires: NOW + 400 * DAY,
})
const type = aTaskType({
  openers: new Set(['planner', 'coder']),
  scopes: ['files:read', 'mail:send'],
  reach: ['files-api', 'mail-api'],
})
const facts = (parts: Partial<Tenant> = {}, agent = planner) =>
  aTenant({ agents: [agent], taskTypes: [type], tenant: { rules: RULES, ...parts } })

/** Every name used a day ago and seen long ago, but for those that are given. */
function judge(
  tenant: Tenant,
  uses: Readonly<Record<string, Partial<Use>>> = {},
  parts: Partial<SprawlQuestion> = {},
): readonly Sprawl[] {
  const common: Use = { firstSeen: LONG, lastUsed: NOW - DAY }
  const known = [...namesOf(tenant)].map((name) => [name, { ...common, ...uses[name] }] as const)
  const question = { tenant, uses: new Map(known), certificates: [], days: 90, now: NOW }
  return findSprawl({ ...question, ...parts })
}
const NEVER = { lastUsed: undefined }
const agentOf = (items: readonly Sprawl[]) => items.find(({ kind }) => kind === 'agent')
const said = (item: Sprawl | undefined) => item?.findings.map(({ kind, names }) => [kind, ...names])

test('of what is used and does not end there is nothing to say', () => {
  expect(judge(facts())).toEqual([
    {
      kind: 'agent',
      id: 'planner',
      file: 'agents.yaml',
      owner: 'team@acme.example',
      lastUsed: NOW - DAY,
      observedSince: LONG,
      findings: [],
      suggestion: [],
    },
  ])
})

describe('an agent', () => {
  test('with scopes and places it does not use could have fewer', () => {
    const item = agentOf(
      judge(facts(), { 'scope planner mail:send': NEVER, 'place planner mail-api': NEVER }),
    )
    expect(said(item)).toEqual([
      ['scope_unused', 'mail:send'],
      ['place_unused', 'mail-api'],
    ])
    expect(item?.suggestion).toEqual(['scopes: [files:read]', 'may_reach: [files-api]'])
  })

  test('that never came could be disabled, and of one that is nothing is left to do', () => {
    const idle = { 'agent planner': NEVER, 'client planner': NEVER }
    const item = agentOf(judge(facts(), idle))
    expect([said(item), item?.suggestion]).toEqual([[['unused']], ['disabled: true']])
    const disabled = agentOf(judge(facts({}, { ...planner, disabled: true }), idle))
    expect([said(disabled), disabled?.suggestion]).toEqual([[['unused']], []])
  })

  test('that authenticates and gets nothing is used', () => {
    expect(said(agentOf(judge(facts(), { 'agent planner': NEVER })))).toEqual([])
  })

  test('has keys that nobody signs with', () => {
    const jwks = [{ kid: 'old' }, { kid: 'new' }, {}]
    const auth = { method: 'private_key_jwt', jwks, development: false } as const
    const items = judge(facts({}, { ...planner, auth }), { 'key planner old': NEVER })
    expect(said(agentOf(items))).toEqual([['key_unused', 'old']])
  })

  test.each([
    [undefined, 'no_expiry', undefined],
    [NOW, 'expired', NOW],
    [NOW + 30 * DAY, 'expires_soon', NOW + 30 * DAY],
  ])('that expires at %s', (expires, kind, at) => {
    const item = agentOf(judge(facts({}, { ...planner, expires })))
    expect(item?.findings).toEqual([{ kind, names: [], at }])
  })

  test('whose owner is disabled', () => {
    const tenant = facts({ disabledSubjects: new Set(['team@acme.example']) })
    expect(said(agentOf(judge(tenant)))).toEqual([['owner_gone']])
  })
})

describe('nothing is called unused', () => {
  test('that was observed for fewer days', () => {
    const young = { firstSeen: NOW - 90 * DAY + 1, lastUsed: undefined }
    const uses = { 'scope planner mail:send': young, 'rule all': young, 'type file-work': young }
    expect(said(agentOf(judge(facts(), uses)))).toEqual([])
    expect(judge(facts(), uses)).toHaveLength(1)
    expect(said(agentOf(judge(facts(), uses, { days: 89 })))).toEqual([
      ['scope_unused', 'mail:send'],
    ])
  })

  test('that is not observed at all', () => {
    expect(said(agentOf(judge(facts(), {}, { uses: new Map() })))).toEqual([])
  })

  test('that was used within the days', () => {
    const at = (days: number) => ({ 'scope planner mail:send': { lastUsed: NOW - days * DAY } })
    expect(said(agentOf(judge(facts(), at(89))))).toEqual([])
    expect(said(agentOf(judge(facts(), at(90))))).toEqual([['scope_unused', 'mail:send']])
  })
})

test('a task type could be smaller', () => {
  const [, item] = judge(facts(), {
    'type-scope file-work mail:send': NEVER,
    'type-place file-work mail-api': NEVER,
    'opener file-work coder': NEVER,
  })
  expect(item).toMatchObject({ kind: 'task_type', id: 'file-work', file: 'task-types.yaml' })
  expect(item?.suggestion).toEqual([
    'scopes: [files:read]',
    'reach: [files-api]',
    'openers: [planner]',
  ])
  expect(said(judge(facts(), { 'type file-work': NEVER })[1])).toEqual([['unused']])
})

test('a rule that never permitted could go', () => {
  expect(judge(facts(), { 'rule all': NEVER })[1]).toMatchObject({
    kind: 'rule',
    id: 'all',
    file: 'policies/a.cedar:3',
    findings: [{ kind: 'unused' }],
  })
})

test('a role that nobody had could go', () => {
  const grant = { role: 'admin', issuer: 'staff', claim: 'groups', value: 'all of us' } as const
  const tenant = facts({ roles: [grant] })
  expect(judge(tenant)).toHaveLength(1)
  const name = 'role ["admin","staff","groups","all of us"]'
  expect(judge(tenant, { [name]: NEVER })[1]).toMatchObject({
    kind: 'role',
    id: 'admin of staff by groups all of us',
    file: 'tenant.yaml',
    findings: [{ kind: 'unused' }],
  })
})

test('certificates that end', () => {
  const certificates = [
    { kind: 'agent', id: 'planner', expiresAt: NOW + DAY },
    { kind: 'authority', id: 'corp', expiresAt: NOW - 1 },
    { kind: 'authority', id: 'corp', expiresAt: NOW + 31 * DAY },
    { kind: 'authority', id: 'other', expiresAt: NOW + 31 * DAY },
  ] as const
  const items = judge(facts(), {}, { certificates })
  expect(items.map((item) => [item.kind, item.id, said(item)])).toEqual([
    ['agent', 'planner', [['certificate_expires_soon']]],
    ['authority', 'corp', [['certificate_expired']]],
  ])
})
