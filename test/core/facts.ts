/** A tenant and its parts as plain values, in the shape the folder reader makes: each builder shows only what matters. */

import type { BoundsRoot, DelegatedClaims } from '../../lib/src/act-bounds.ts'
import type { Case } from '../../server/core/case.ts'
import { type Ceiling, openCeiling } from '../../server/core/ceiling.ts'
import { factsOf, type HopFacts, type HopRequest } from '../../server/core/guards.ts'
import type { ForeignToken, OwnToken } from '../../server/core/input-token.ts'
import type { RuleAnswer, RuleQuestion, Rules, Subject } from '../../server/core/rules.ts'
import type {
  Agent,
  Resource,
  Scope,
  TaskType,
  Tenant,
  Tier,
  TrustedIssuer,
} from '../../server/core/tenant.ts'

export const NOW = 1_800_000_000
export const ISSUER = 'https://as.example/t/acme'
export const IDP = 'https://idp.example'

const TIERS: Readonly<Record<string, Tier>> = {
  'files:read': 'read',
  'files:write': 'propose',
  'mail:send': 'propose',
  'pay:transfer': 'execute',
}
const API_OF: Readonly<Record<string, string>> = {
  'files:read': 'files-api',
  'files:write': 'files-api',
  'mail:send': 'mail-api',
  'pay:transfer': 'pay-api',
}
export const ALICE: Subject = { id: 'alice', issuer: 'idp', claims: {} }
export const SCOPES = Object.keys(TIERS)

const PERMIT: RuleAnswer = { decision: 'permit', policies: ['all'], obligations: {}, failed: [] }

/** Rules that take nothing away. */
export const permitAll: Rules = { permits: [], answer: () => PERMIT }

/** Rules that say so, or say what `answer` makes of the question; all that is left out is as in `permitAll`. */
export function rulesOf(
  answer: Partial<RuleAnswer> | ((question: RuleQuestion) => Partial<RuleAnswer>),
): Rules {
  return {
    permits: [],
    answer: (question) => ({
      ...PERMIT,
      ...(typeof answer === 'function' ? answer(question) : answer),
    }),
  }
}

export function anAgent(id: string, parts: Partial<Agent> = {}): Agent {
  return {
    id,
    owner: 'team@acme.example',
    class: 'worker',
    purpose: undefined,
    scopes: new Set(SCOPES),
    mayReach: new Set([
      'planner-a2a',
      'researcher-a2a',
      'coder-a2a',
      'files-api',
      'mail-api',
      'pay-api',
    ]),
    defaultTarget: undefined,
    home: `${id}-a2a`,
    auth: { method: 'private_key_jwt', jwks: [], development: false },
    issuerClients: new Map([['idp', `${id}-at-idp`]]),
    binding: 'dpop',
    expires: undefined,
    disabled: false,
    registeredAt: undefined,
    ...parts,
  }
}

export function anApi(name: string, parts: Partial<Resource> = {}): Resource {
  const id = `${name}-api`
  return {
    id,
    uri: `https://${name}.api`,
    kind: 'api',
    agent: undefined,
    scopes: new Set(SCOPES.filter((scope) => API_OF[scope] === id)),
    sensitivity: 'low',
    owner: undefined,
    keys: [],
    ...parts,
  }
}

export function anEndpoint(agent: string, parts: Partial<Resource> = {}): Resource {
  return {
    ...anApi(agent),
    id: `${agent}-a2a`,
    uri: `https://${agent}.agents/a2a`,
    kind: 'agent',
    agent,
    scopes: new Set(SCOPES),
    ...parts,
  }
}

export function aTaskType(parts: Partial<TaskType> = {}): TaskType {
  return {
    id: 'file-work',
    basis: 'policy',
    openers: new Set(['planner']),
    subjectsFrom: new Set(['idp']),
    scopes: SCOPES,
    reach: ['researcher-a2a', 'coder-a2a', 'files-api', 'mail-api', 'pay-api'],
    maxDepth: 3,
    lifetime: 600,
    tokenLifetime: 300,
    triggers: [],
    ...parts,
  }
}

export function aTrustedIssuer(parts: Partial<TrustedIssuer> = {}): TrustedIssuer {
  return {
    id: 'idp',
    issuer: IDP,
    keys: { jwks: [] },
    algorithms: ['ES256'],
    tokenTypes: new Set(['id_token', 'jwt']),
    subjectPrefix: '',
    clientClaim: undefined,
    scopeClaim: undefined,
    audiences: new Set(),
    subjectClaims: [],
    managementClient: undefined,
    ...parts,
  }
}

export interface TenantParts {
  readonly agents?: readonly Agent[]
  readonly resources?: readonly Resource[]
  readonly taskTypes?: readonly TaskType[]
  readonly tenant?: Partial<Tenant>
}

export function aTenant(parts: TenantParts = {}): Tenant {
  const agents =
    parts.agents ?? ['planner', 'researcher', 'coder', 'rogue'].map((id) => anAgent(id))
  const resources = parts.resources ?? [
    ...agents.map(({ id }) => anEndpoint(id)),
    anApi('files'),
    anApi('mail'),
    anApi('pay'),
  ]
  const byId = <Entry extends { readonly id: string }>(entries: readonly Entry[]) =>
    new Map(entries.map((entry) => [entry.id, entry]))
  const scopes = SCOPES.map((name): [string, Scope] => [
    name,
    { name, tier: TIERS[name]!, sensitivity: 'low', resource: API_OF[name]! },
  ])
  return {
    id: 'acme',
    issuer: ISSUER,
    displayName: 'Acme',
    version: 'v1',
    signingAlgorithm: 'ES256',
    limits: {
      maxDepth: 8,
      taskLifetime: 900,
      tokenLifetime: 300,
      tokensPerPlace: 64,
      tokensPerTask: 256,
      requestsPerClient: 100_000,
      requestsPerTenant: 1_000_000,
      requestsPerTask: 100_000,
    },
    trustedIssuers: new Map([[IDP, aTrustedIssuer()]]),
    eventReceivers: new Map(),
    eventTransmitters: new Map(),
    keysKilled: 0,
    keyCachePeriod: 600,
    dpopNonces: false,
    keptTexts: new Set(),
    trustDomains: new Map(),
    certificateAuthorities: new Map(),
    workloadIssuers: new Map(),
    attesters: new Map(),
    disabledSubjects: new Set(),
    agents: byId(agents),
    resources: byId(resources),
    resourcesByUri: new Map(resources.map((resource) => [resource.uri, resource])),
    scopes: new Map(scopes),
    taskTypes: byId(parts.taskTypes ?? [aTaskType()]),
    roles: [],
    rules: permitAll,
    ...parts.tenant,
  }
}

/** A root over the whole of `aTenant()`, execute tier left out as `openRoot` does. */
export function aRoot(parts: Partial<BoundsRoot> = {}): BoundsRoot {
  return {
    jti: 'root-1',
    idx: 0,
    iat: NOW,
    exp: NOW + 600,
    max_depth: 3,
    basis: 'policy',
    scope: ['files:read', 'files:write', 'mail:send'],
    reach: [
      'https://researcher.agents/a2a',
      'https://coder.agents/a2a',
      'https://files.api',
      'https://mail.api',
      'https://pay.api',
      'https://planner.agents/a2a',
    ],
    ...parts,
  }
}

export function aCeiling(root: BoundsRoot = aRoot()): Ceiling {
  return openCeiling(root)
}

/** planner asks for the files API with a whole root behind it. */
export function aHopRequest(parts: Partial<HopRequest> = {}): HopRequest {
  const tenant = aTenant()
  return {
    tenant,
    taskType: aTaskType(),
    root: aRoot(),
    parent: aCeiling(),
    caller: anAgent('planner'),
    target: tenant.resources.get('files-api')!,
    chain: ['planner'],
    subject: ALICE,
    task: { txn: 'task-1', openedAt: NOW, deadline: NOW + 600 },
    key: 'dpop',
    scope: undefined,
    actorExpiresAt: undefined,
    now: NOW,
    ...parts,
  }
}

/** The same with what the guards look up once; `parts` replace even that. */
export function aHop(parts: Partial<HopFacts> = {}): HopFacts {
  return { ...factsOf(aHopRequest(parts)), ...parts }
}

/** alice has planner take files:read to the files API. */
export function aCase(parts: Partial<Case> = {}): Case {
  return {
    subject: 'alice',
    issuer: undefined,
    claims: {},
    actors: ['planner'],
    taskType: undefined,
    resource: 'files-api',
    scope: ['files:read'],
    purpose: undefined,
    key: 'dpop',
    now: NOW,
    ...parts,
  }
}

/** Claims of planner's token for alice, addressed to researcher. */
export function someClaims(parts: Partial<DelegatedClaims> = {}): DelegatedClaims {
  const root = aRoot()
  return {
    iss: ISSUER,
    sub: 'alice',
    aud: 'https://researcher.agents/a2a',
    client_id: 'planner',
    scope: 'files:read',
    iat: NOW,
    exp: NOW + 300,
    jti: 'hop-1',
    txn: 'task-1',
    cnf: { jkt: 'key-of-planner' },
    status: { status_list: { idx: 1, uri: `${ISSUER}/status/g1-1` } },
    act: { sub: 'planner', iss: ISSUER },
    act_bounds: {
      v: 1,
      root,
      hops: [{ jti: 'hop-1', idx: 1, scope: 1, reach: 7, aud: 0, iat: 0, exp: 300 }],
    },
    ...parts,
  }
}

export function anOwnToken(parts: Partial<DelegatedClaims> = {}): OwnToken {
  return { kind: 'own', claims: someClaims(parts) }
}

/** An ID token of the trusted issuer for alice, addressed to planner's client there. */
export function aForeignToken(parts: Partial<ForeignToken> = {}): ForeignToken {
  return {
    kind: 'foreign',
    issuer: aTrustedIssuer(),
    subject: 'alice',
    audience: ['planner-at-idp'],
    azp: undefined,
    client: undefined,
    issuedAt: NOW - 1,
    expiresAt: NOW + 600,
    id: 'jti:id-token-1',
    scope: undefined,
    claims: {},
    mayAct: undefined,
    hasChain: false,
    authentication: {},
    ...parts,
  }
}
