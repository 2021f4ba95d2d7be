/**
 * Small random tenants, the rules they could have, and cases to ask of them. Most lists are whole, so that enough is permitted
 * to compare; the rest is cut anywhere.
 */
import fc from 'fast-check'
import type { Case } from '../../server/core/case.ts'
import type { Obligations, RuleAnswer, RuleQuestion, Rules } from '../../server/core/rules.ts'
import type { Agent, TaskType, Tenant } from '../../server/core/tenant.ts'
import {
  anAgent,
  anApi,
  anEndpoint,
  aTaskType,
  aTenant,
  aTrustedIssuer,
  NOW,
  rulesOf,
  SCOPES,
} from '../core/facts.ts'

export const AGENTS = ['planner', 'researcher', 'coder', 'rogue'] as const
const APIS = ['files', 'mail', 'pay'] as const
export const PLACES: readonly string[] = [
  ...AGENTS.map((id) => `${id}-a2a`),
  ...APIS.map((id) => `${id}-api`),
]
export const ISSUERS = ['idp', 'partner'] as const
export const CLAIMS = { department: ['sales'], group: ['staff', 'night'] }

/** Mostly all of it. */
function most<Value>(of: readonly Value[], atLeast = 0): fc.Arbitrary<readonly Value[]> {
  return fc.oneof(
    { weight: 7, arbitrary: fc.constant(of) },
    { weight: 1, arbitrary: fc.subarray([...of], { minLength: atLeast }) },
  )
}

const seldom = fc.nat(99).map((number) => number === 77)

const agentParts = fc.record({
  class: fc.constantFrom<Agent['class']>('retrieval', 'worker', 'orchestrator'),
  owner: fc.constantFrom('sales', 'finance'),
  scopes: most(SCOPES).map((names) => new Set(names)),
  mayReach: most(PLACES).map((names) => new Set(names)),
  binding: fc.constantFrom<Agent['binding']>(
    ...(['dpop', 'mtls', 'bearer', 'bearer', 'bearer', 'bearer'] as const),
  ),
  disabled: seldom,
  expires: seldom.map((is) => (is ? NOW : undefined)),
  issuers: most(ISSUERS),
})

const taskTypeParts = fc.record({
  basis: fc.nat(9).map((number): TaskType['basis'] => (number === 5 ? 'client' : 'policy')),
  openers: most(AGENTS).map((names): ReadonlySet<string> => new Set(names)),
  subjectsFrom: most(ISSUERS).map((names): ReadonlySet<string> => new Set(names)),
  scopes: most(SCOPES, 1),
  reach: most(PLACES, 1),
  maxDepth: fc.constantFrom(1, 2, 3, 3, 4),
  lifetime: fc.integer({ min: 1, max: 900 }),
  tokenLifetime: fc.integer({ min: 1, max: 400 }),
})

/** Its rules take nothing away. */
export const tenants: fc.Arbitrary<Tenant> = fc
  .record({
    agents: fc.array(agentParts, { minLength: AGENTS.length, maxLength: AGENTS.length }),
    accepts: fc.array(most(SCOPES), { minLength: AGENTS.length, maxLength: AGENTS.length }),
    taskTypes: fc.array(taskTypeParts, { minLength: 1, maxLength: 2 }),
    maxDepth: fc.constantFrom(1, 2, 4, 8, 8),
    disabledSubjects: seldom.map((is): ReadonlySet<string> => new Set(is ? ['alice'] : [])),
  })
  .map(({ agents, accepts, taskTypes, maxDepth, disabledSubjects }) => {
    const base = aTenant()
    const trusted = ISSUERS.map((id) =>
      aTrustedIssuer({ id, issuer: `https://${id}.example`, subjectClaims: ['department'] }),
    )
    return aTenant({
      agents: agents.map(({ issuers, ...parts }, at) => {
        const id = AGENTS[at]!
        const issuerClients = new Map(issuers.map((issuer) => [issuer, `${id}-at-${issuer}`]))
        return anAgent(id, { ...parts, issuerClients })
      }),
      resources: [
        ...AGENTS.map((id, at) => anEndpoint(id, { scopes: new Set(accepts[at]) })),
        ...APIS.map((id) => anApi(id)),
      ],
      taskTypes: taskTypes.map((parts, at) => aTaskType({ id: `type-${at}`, ...parts })),
      tenant: {
        disabledSubjects,
        trustedIssuers: new Map(trusted.map((issuer) => [issuer.issuer, issuer])),
        limits: { ...base.limits, maxDepth },
      },
    })
  })

/** The same with agents that have no endpoint: the home made for one accepts what it holds, and no folder names it. */
export const tenantsWithMadeHomes: fc.Arbitrary<Tenant> = fc
  .tuple(tenants, most<(typeof AGENTS)[number]>(AGENTS))
  .map(([tenant, withEndpoint]) => {
    const isMade = (id: string) => !withEndpoint.some((agent) => agent === id)
    const homeOf = (id: string) => (isMade(id) ? `${id}.home` : `${id}-a2a`)
    const agents = [...tenant.agents.values()].map((agent) => ({
      ...agent,
      home: homeOf(agent.id),
    }))
    const resources = [...tenant.resources.values()].map((resource) => {
      const { agent: id } = resource
      if (id === undefined || !isMade(id)) return resource
      return { ...resource, id: homeOf(id), scopes: tenant.agents.get(id)!.scopes }
    })
    return {
      ...tenant,
      agents: new Map(agents.map((agent) => [agent.id, agent])),
      resources: new Map(resources.map((resource) => [resource.id, resource])),
      resourcesByUri: new Map(resources.map((resource) => [resource.uri, resource])),
    }
  })

export const obligations: fc.Arbitrary<Obligations> = fc.record(
  {
    maxTtl: fc.integer({ min: 1, max: 2000 }),
    maxDepth: fc.constantFrom(1, 2, 2, 3, 3, 3, 4, 8, 9),
    requireKey: fc.constantFrom('dpop', 'bound', 'bound'),
    approval: fc.constantFrom('read', 'propose', 'propose', 'execute', 'execute'),
  },
  { requiredKeys: [] },
)

const answers: fc.Arbitrary<RuleAnswer> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record<RuleAnswer>({
      decision: fc.constant('permit'),
      policies: fc.subarray(['p', 'q', 'r'], { minLength: 1 }),
      obligations,
      failed: fc.constant([]),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record<RuleAnswer>({
      decision: fc.constant('refuse'),
      policies: fc.subarray(['f', 'g']),
      obligations: fc.constant({}),
      failed: fc.subarray(['broken']),
    }),
  },
)

/** Rules that answer by what they are asked, the same question always the same. */
export const rules: fc.Arbitrary<Rules> = fc
  .array(answers, { minLength: 1, maxLength: 8 })
  .map((list) => rulesOf((question) => list[hash(question) % list.length]!))

function hash(question: RuleQuestion): number {
  const { action, caller, target, scope, chain, subject, key, taskType, request } = question
  const said = [action, caller.id, target?.id, scope, ...chain, subject?.id, key, taskType.id]
  said.push(...request.scope, request.purpose)
  let sum = 7
  for (const letter of said.join('|')) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003
  return sum
}

/** Whatever could be bound to a permit, sense or not. */
const anyObligations: fc.Arbitrary<Obligations> = fc.record(
  {
    maxTtl: fc.oneof(fc.integer({ min: -10, max: 1000 }), fc.maxSafeInteger()),
    maxDepth: fc.oneof(fc.integer({ min: -1, max: 9 }), fc.maxSafeInteger()),
    requireKey: fc.constantFrom('dpop', 'bound', 'bound'),
    approval: fc.constantFrom('read', 'propose', 'execute'),
  },
  { requiredKeys: [] },
)

/** Permit whatever they are asked, with made-up ids and these obligations one after another. */
export const yeaSayers: fc.Arbitrary<Rules> = fc
  .record({
    bounds: fc.array(fc.oneof(fc.constant({}), anyObligations), { minLength: 1, maxLength: 5 }),
    policies: fc.array(fc.string(), { maxLength: 3 }),
  })
  .map(({ bounds, policies }) => {
    let asked = 0
    return rulesOf(() => ({ policies, obligations: bounds[asked++ % bounds.length] ?? {} }))
  })

/** A place and scopes to ask for there: most often some that it has. */
const wishes = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      { resource: 'files-api', scope: ['files:read'] },
      { resource: 'files-api', scope: ['files:read', 'files:write'] },
      { resource: 'https://mail.api', scope: ['mail:send'] },
      { resource: 'pay-api', scope: ['pay:transfer'] },
      { resource: 'rogue-a2a', scope: ['files:read', 'mail:send'] },
      { resource: 'files-api', scope: undefined },
      { resource: 'rogue-a2a', scope: undefined },
      { resource: 'https://planner.agents/a2a', scope: ['files:read'] },
      { resource: 'files-api', scope: ['files:read', 'pay:transfer'] },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      resource: fc.constantFrom(...PLACES, 'nobody-api'),
      scope: fc.option(fc.subarray([...SCOPES], { minLength: 1 }), { nil: undefined }),
    }),
  },
)

const askers = fc.record({
  subject: fc.constantFrom(...Array.from({ length: 12 }, () => 'alice'), 'bob', 'rogue', undefined),
  issuer: fc.constantFrom(...ISSUERS, undefined),
  claims: fc.constantFrom({}, CLAIMS),
  actors: fc.oneof(
    { weight: 24, arbitrary: fc.shuffledSubarray([...AGENTS], { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constantFrom(['nobody'], ['planner', 'coder', 'planner']) },
  ),
  taskType: fc.constantFrom(...Array.from({ length: 8 }, () => 'type-0'), 'type-1', undefined),
  purpose: fc.constantFrom('reconcile', undefined),
  key: fc.constantFrom<Case['key']>(
    ...Array.from({ length: 8 }, () => undefined),
    ...(['dpop', 'dpop', 'mtls', 'none'] as const),
  ),
})

export const cases: fc.Arbitrary<Case> = fc
  .tuple(askers, wishes)
  .map(([asker, wish]) => ({ ...asker, ...wish, now: NOW }))
