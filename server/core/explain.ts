/**
 * Why a case is decided as it is: the facts, every guard in order with pass or fail, the rules that decided, and what would
 * have to change. Plain data in the members of our own APIs (snake_case), for `actchain explain` and the admin API.
 */
import type { Case } from './case.ts'
import { decide, type PolicyDecision, refusingRule } from './decide.ts'
import { factsOf, HOP_GUARDS, SCOPE_GUARDS } from './guards.ts'
import { judge } from './judge.ts'
import { type Edit, findChange } from './mend.ts'
import { askToOpen, type RootRequest } from './open-root.ts'
import { isRefusal, REASONS, type Reason } from './refusal.ts'
import { CASE_GUARDS, type Rehearsal, rehearse, type Stage } from './rehearse.ts'
import { type StatedObligations, stated } from './rules.ts'
import type { Tenant } from './tenant.ts'

export interface GuardResult {
  /** Which part of the way: `case`, or the hop as `planner > researcher-a2a`. */
  readonly at: string
  readonly guard: string
  readonly text: string
  readonly holds: boolean
  /** Where the guard is asked scope by scope. */
  readonly scope?: string
}

export interface RuleResult {
  /** `open`, or the hop as `planner > researcher-a2a`. */
  readonly at: string
  readonly scope?: string
  readonly decision: PolicyDecision
  /** What stands in the way: `rule_forbids`, `no_rule_permits`, `approval_required` … */
  readonly guard?: string
  readonly policies: readonly string[]
  readonly failed: readonly string[]
  readonly obligations: StatedObligations
}

export interface Explanation {
  readonly decision: PolicyDecision
  readonly reason?: Reason
  /** The reason in a sentence. */
  readonly text?: string
  /** The exact guard that refused. */
  readonly guard?: string
  readonly granted: readonly string[]
  readonly tenant: string
  readonly version: string
  readonly facts: Facts
  readonly guards: readonly GuardResult[]
  readonly rules: readonly RuleResult[]
  readonly obligations: StatedObligations
  /** Lines that, added to the folder, permit it; absent where none can be computed. */
  readonly change?: readonly Edit[]
  /** What could be asked for instead, with no change at all. */
  readonly ask_instead?: { readonly resource: string; readonly scope: readonly string[] }
}

export interface Facts {
  readonly subject?: string
  readonly actors: readonly {
    readonly id: string
    readonly class?: string
    readonly owner?: string
    readonly scopes?: readonly string[]
    readonly may_reach?: readonly string[]
  }[]
  readonly task_type?: {
    readonly id: string
    readonly scopes: readonly string[]
    readonly reach: readonly string[]
    readonly max_depth: number
  }
  readonly resource: {
    readonly id: string
    readonly kind?: string
    readonly sensitivity?: string
    readonly owner?: string
  }
  /** Absent: whatever is permitted outright. */
  readonly scope?: readonly { readonly name: string; readonly tier?: string }[]
}

/** Throws where the rules' engine fails. */
export function explain(tenant: Tenant, asked: Case): Explanation {
  const rehearsal = rehearse(tenant, asked)
  const { stages } = rehearsal
  const { decision, reason, guard, granted, obligations } = judge(tenant, asked)
  const change = decision === 'refuse' ? findChange(tenant, asked) : undefined
  const instead = decision === 'permit' ? undefined : findInstead(tenant, asked)
  return {
    decision,
    ...(reason === undefined ? {} : { reason, text: REASONS[reason].text }),
    ...(guard === undefined ? {} : { guard }),
    granted,
    tenant: tenant.id,
    version: tenant.version,
    facts: factsOfCase(tenant, asked, stages),
    guards: [...guardsOfCase(tenant, asked, rehearsal), ...stages.flatMap(guardsOf)],
    rules: stages.flatMap(rulesOf),
    obligations: stated(obligations),
    ...(change === undefined ? {} : { change }),
    ...(instead === undefined ? {} : { ask_instead: instead }),
  }
}

function guardsOfCase(
  tenant: Tenant,
  asked: Case,
  { stages, outcome }: Rehearsal,
): readonly GuardResult[] {
  const guards = CASE_GUARDS.map(({ name, text, holds }) => ({
    at: 'case',
    guard: name,
    text,
    holds: holds(tenant, asked),
  }))
  if (guards.some(({ holds }) => !holds)) return guards
  const isFound = stages.length > 0
  const guard = isRefusal(outcome) && !isFound ? outcome.guard : 'task_type_not_permitted'
  const text = 'one task type, or the one named, is for this agent and this subject'
  return [...guards, { at: 'case', guard, text, holds: isFound }]
}

/** What a root needs once the rules let it be opened. */
const OPEN_GUARDS = [
  {
    guard: 'root_scope_empty',
    text: 'task type, opener and subject have a scope in common that needs no approval',
  },
  { guard: 'opener_has_no_home', text: 'the opener has a home' },
]

function guardsOf(stage: Stage): readonly GuardResult[] {
  if (stage.what === 'open') {
    const { request, outcome } = stage
    if (refusingRule(askToOpen(request), openingOf(request)) !== undefined) return []
    return OPEN_GUARDS.map(({ guard, text }) => {
      const holds = !isRefusal(outcome) || outcome.guard !== guard
      return { at: 'open', guard, text, holds }
    })
  }
  const hop = factsOf(stage.request)
  const at = placeOf(stage)
  const ofHop = HOP_GUARDS.map(({ name, text, holds }) => ({
    at,
    guard: name,
    text,
    holds: holds(hop),
  }))
  const ofScopes = (hop.scope ?? hop.held).flatMap((scope) =>
    SCOPE_GUARDS.map(({ name, text, holds }) => ({
      at,
      guard: name,
      text,
      holds: holds(hop, scope),
      scope,
    })),
  )
  return [...ofHop, ...ofScopes]
}

function rulesOf(stage: Stage): readonly RuleResult[] {
  if (stage.what === 'open') return [openRules(stage.request)]
  const hop = factsOf(stage.request)
  // The rules are not asked where a guard of the hop refuses.
  if (HOP_GUARDS.some(({ holds }) => !holds(hop))) return []
  return (hop.scope ?? hop.held).flatMap((scope) => {
    const { outcome, guard, answer } = decide(hop, scope)
    if (answer === undefined) return []
    const { policies, failed, obligations } = answer
    return [
      {
        at: placeOf(stage),
        scope,
        decision: outcome,
        ...(guard === undefined ? {} : { guard }),
        policies,
        failed,
        obligations: stated(obligations),
      },
    ]
  })
}

function openRules(request: RootRequest): RuleResult {
  const answer = askToOpen(request)
  const guard = refusingRule(answer, openingOf(request))
  const { policies, failed, obligations } = answer
  return {
    at: 'open',
    decision: guard === undefined ? 'permit' : 'refuse',
    ...(guard === undefined ? {} : { guard }),
    policies,
    failed,
    obligations: stated(obligations),
  }
}

const openingOf = ({ key }: RootRequest) => ({ depth: 1, key })

function placeOf(stage: Stage): string {
  return stage.what === 'open' ? 'open' : `${stage.request.caller.id} > ${stage.request.target.id}`
}

/** The part of the scopes that is permitted here, or the API whose scopes they are. Verified by judging it. */
function findInstead(tenant: Tenant, asked: Case): Explanation['ask_instead'] {
  const scope = asked.scope ?? []
  const { granted } = judge(tenant, { ...asked, scope: undefined })
  const part = scope.filter((name) => granted.includes(name))
  const isPermitted =
    part.length > 0 && judge(tenant, { ...asked, scope: part }).decision === 'permit'
  if (isPermitted) return { resource: asked.resource, scope: part }
  const owners = new Set(scope.map((name) => tenant.scopes.get(name)?.resource))
  const [owner] = owners
  if (owners.size !== 1 || owner === undefined || owner === asked.resource) return undefined
  const there = judge(tenant, { ...asked, resource: owner })
  return there.decision === 'permit' ? { resource: owner, scope: there.granted } : undefined
}

function factsOfCase(tenant: Tenant, asked: Case, stages: readonly Stage[]): Facts {
  const [first] = stages
  const taskType = first?.what === 'open' ? first.request.taskType : undefined
  const resource = tenant.resources.get(asked.resource) ?? tenant.resourcesByUri.get(asked.resource)
  return {
    ...(asked.subject === undefined ? {} : { subject: asked.subject }),
    actors: asked.actors.map((id) => {
      const agent = tenant.agents.get(id)
      if (agent === undefined) return { id }
      return {
        id,
        class: agent.class,
        owner: agent.owner,
        scopes: [...agent.scopes],
        may_reach: [...agent.mayReach],
      }
    }),
    ...(taskType === undefined
      ? {}
      : {
          task_type: {
            id: taskType.id,
            scopes: taskType.scopes,
            reach: taskType.reach,
            max_depth: taskType.maxDepth,
          },
        }),
    resource: {
      id: resource?.id ?? asked.resource,
      ...(resource === undefined ? {} : { kind: resource.kind, sensitivity: resource.sensitivity }),
      ...(resource?.owner === undefined ? {} : { owner: resource.owner }),
    },
    ...(asked.scope === undefined
      ? {}
      : {
          scope: asked.scope.map((name) => {
            const tier = tenant.scopes.get(name)?.tier
            return { name, ...(tier === undefined ? {} : { tier }) }
          }),
        }),
  }
}
