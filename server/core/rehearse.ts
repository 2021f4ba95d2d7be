/**
 * A case walked through the very functions an exchange uses: the task is opened, each agent hands on to the next what the
 * last one needs, and the last one asks. Nothing is minted and nothing is looked up: what a live token adds (its record, its
 * time, its key) is taken as good.
 */
import { type Attenuated, attenuate } from './attenuate.ts'
import type { Case } from './case.ts'
import { type Ceiling, openCeiling } from './ceiling.ts'
import type { Guard, HopRequest } from './guards.ts'
import { isActive, mayReach } from './guards.ts'
import { findTaskType, type OpenedRoot, openRoot, type RootRequest } from './open-root.ts'
import { isRefusal, type Refusal, refuse } from './refusal.ts'
import type { Subject } from './rules.ts'
import type { Agent, KeyProof, Resource, TaskType, Tenant } from './tenant.ts'

export type Stage =
  | {
      readonly what: 'open'
      readonly request: RootRequest
      readonly outcome: OpenedRoot | Refusal
    }
  | {
      readonly what: 'hop'
      readonly request: HopRequest
      readonly outcome: Attenuated | Refusal
    }

export interface Rehearsal {
  readonly stages: readonly Stage[]
  /** Of the last stage; or why there is none. */
  readonly outcome: Attenuated | Refusal
}

/** What has to be so before any stage. An exchange has seen to each of them before it attenuates. */
export const CASE_GUARDS: readonly Guard<[Tenant, Case]>[] = [
  {
    name: 'actor_unknown',
    reason: 'client_authentication_failed',
    text: 'every agent of the chain is known',
    holds: (tenant, { actors }) => actors.length > 0 && actors.every((id) => tenant.agents.has(id)),
  },
  {
    name: 'actor_inactive',
    reason: 'actor_inactive',
    text: 'no agent of the chain is disabled or expired',
    holds: (tenant, { actors, now }) =>
      actors.every((id) => !tenant.agents.has(id) || isActive(tenant.agents.get(id), now)),
  },
  {
    name: 'actor_already_in_chain',
    reason: 'actor_already_in_chain',
    text: 'no agent is twice in the chain',
    holds: (_, { actors }) => new Set(actors).size === actors.length,
  },
  {
    name: 'proof_required',
    reason: 'proof_required',
    text: 'every agent of the chain that has to prove a key by DPoP does',
    holds: (tenant, { actors, key = 'dpop' }) =>
      key === 'dpop' || actors.every((id) => tenant.agents.get(id)?.binding !== 'dpop'),
  },
  {
    name: 'certificate_required',
    reason: 'certificate_required',
    text: 'every agent of the chain that has to prove a certificate does',
    holds: (tenant, { actors, key = 'mtls' }) =>
      key === 'mtls' || actors.every((id) => tenant.agents.get(id)?.binding !== 'mtls'),
  },
  {
    name: 'subject_is_actor',
    reason: 'subject_token_unacceptable',
    text: 'the subject is no agent',
    holds: (tenant, { subject }) => subject === undefined || !tenant.agents.has(subject),
  },
  {
    name: 'subject_inactive',
    reason: 'subject_inactive',
    text: 'the subject is not disabled',
    holds: (tenant, { subject }) => subject === undefined || !tenant.disabledSubjects.has(subject),
  },
  {
    name: 'caller_unknown_at_issuer',
    reason: 'subject_token_unacceptable',
    text: 'the first agent is a client of the subject’s issuer',
    holds: (tenant, asked) => asked.subject === undefined || issuersOf(tenant, asked).length > 0,
  },
  {
    name: 'target_unknown',
    reason: 'target_not_permitted',
    text: 'the tenant knows the resource',
    holds: (tenant, { resource }) => findResource(tenant, resource) !== undefined,
  },
]

/** Throws where the rules' engine fails. */
export function rehearse(tenant: Tenant, asked: Case): Rehearsal {
  const guard = CASE_GUARDS.find(({ holds }) => !holds(tenant, asked))
  if (guard !== undefined) return { stages: [], outcome: refuse(guard.reason, guard.name) }
  const opening = findOpening(tenant, asked)
  if (isRefusal(opening)) return { stages: [], outcome: opening }
  const request = rootRequest(tenant, asked, opening)
  const opened = openRoot(request)
  const first: Stage = { what: 'open', request, outcome: opened }
  if (isRefusal(opened)) return { stages: [first], outcome: opened }
  return walk(asked, request, opened)
}

function walk(asked: Case, opening: RootRequest, opened: OpenedRoot): Rehearsal {
  const { tenant, taskType, subject } = opening
  const stages: Stage[] = [{ what: 'open', request: opening, outcome: opened }]
  let parent: Ceiling = openCeiling(opened.root)
  for (const [at, id] of asked.actors.entries()) {
    const caller = tenant.agents.get(id)
    const next = asked.actors[at + 1]
    const target =
      next === undefined
        ? findResource(tenant, asked.resource)
        : findEndpoint(opening, opened, { caller, next, parent })
    if (caller === undefined || target === undefined) break
    const request: HopRequest = {
      tenant,
      taskType,
      root: opened.root,
      parent,
      caller,
      target,
      chain: asked.actors.slice(0, at + 1),
      subject,
      task: { txn: 'case', openedAt: asked.now, deadline: opened.root.exp },
      key: keyOf(caller, asked),
      scope: next === undefined ? asked.scope : handedOn(tenant, asked),
      actorExpiresAt: undefined,
      now: asked.now,
    }
    const outcome = attenuate(request)
    stages.push({ what: 'hop', request, outcome })
    if (isRefusal(outcome) || next === undefined) return { stages, outcome }
    parent = outcome.ceiling
  }
  return { stages, outcome: refuse('target_not_permitted', 'target_unknown') }
}

/** What an agent in the middle asks for: what the last one needs, as far as a token can carry it without an approval. */
function handedOn(tenant: Tenant, { scope }: Case): readonly string[] | undefined {
  const carried = scope?.filter((name) => tenant.scopes.get(name)?.tier !== 'execute') ?? []
  return carried.length > 0 ? carried : undefined
}

function keyOf({ binding }: Agent, { key }: Case): KeyProof {
  return key ?? (binding === 'mtls' ? 'mtls' : 'dpop')
}

interface Opening {
  readonly opener: Agent
  readonly taskType: TaskType
  readonly subject: Subject | undefined
}

function rootRequest(tenant: Tenant, asked: Case, opening: Opening): RootRequest {
  return {
    ...opening,
    tenant,
    subjectScope: undefined,
    key: keyOf(opening.opener, asked),
    request: {
      scope: (asked.actors.length === 1 ? asked.scope : handedOn(tenant, asked)) ?? [],
      purpose: asked.purpose,
    },
    ids: { jti: 'case', idx: 0 },
    now: asked.now,
  }
}

/** The task type and, for a subject, the issuer by which the first agent may open it. */
function findOpening(tenant: Tenant, asked: Case): Opening | Refusal {
  const { actors, subject: id, claims } = asked
  const opener = tenant.agents.get(actors[0] ?? '')
  if (opener === undefined) throw new TypeError('a guard has found the opener')
  if (id === undefined) {
    const taskType = findTaskType(tenant, opener, { basis: 'client' }, asked.taskType)
    return isRefusal(taskType) ? taskType : { opener, taskType, subject: undefined }
  }
  const found = issuersOf(tenant, asked).map((issuer) => ({
    subject: { id, issuer, claims: believed(tenant, issuer, claims) },
    taskType: findTaskType(tenant, opener, { basis: 'policy', issuer }, asked.taskType),
  }))
  for (const { subject, taskType } of found) {
    if (!isRefusal(taskType)) return { opener, taskType, subject }
  }
  const [first] = found
  return first !== undefined && isRefusal(first.taskType)
    ? first.taskType
    : refuse('task_type_not_permitted')
}

/** Issuers whose token for the subject the first agent could present: the one named, or any it is a client of. */
function issuersOf(tenant: Tenant, { actors, issuer }: Case): readonly string[] {
  const [opener = ''] = actors
  const known = tenant.agents.get(opener)?.issuerClients
  if (known === undefined) return []
  return [...known.keys()].filter((id) => issuer === undefined || id === issuer)
}

/** Of what a case says of its subject, what the issuer's trust rule believes: nothing else gets past a live exchange. */
function believed(tenant: Tenant, issuer: string, claims: Case['claims']): Case['claims'] {
  const trusted = [...tenant.trustedIssuers.values()].find(({ id }) => id === issuer)
  const names = trusted?.subjectClaims ?? []
  return Object.fromEntries(Object.entries(claims).filter(([name]) => names.includes(name)))
}

function findResource(tenant: Tenant, name: string): Resource | undefined {
  return tenant.resources.get(name) ?? tenant.resourcesByUri.get(name)
}

/** Where the caller hands over to the next agent: an endpoint of it that is within reach, or else its home. */
function findEndpoint(
  { tenant }: RootRequest,
  { root }: OpenedRoot,
  {
    caller,
    next,
    parent,
  }: { readonly caller: Agent | undefined; readonly next: string; readonly parent: Ceiling },
): Resource | undefined {
  const endpoint = root.reach.find((uri, bit) => {
    const resource = tenant.resourcesByUri.get(uri)
    const isWithin = (parent.reach & (1 << bit)) !== 0
    return (
      resource?.agent === next && isWithin && caller !== undefined && mayReach(caller, resource)
    )
  })
  const home = tenant.agents.get(next)?.home
  return tenant.resourcesByUri.get(endpoint ?? '') ?? tenant.resources.get(home ?? '')
}
