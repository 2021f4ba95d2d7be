/**
 * Makes the tenant of entries that passed every check: snake_case ends here, lists become sets and maps.
 */
import type {
  Agent,
  EventReceiver,
  EventTransmitter,
  Resource,
  Scope,
  TaskType,
  Tenant,
  Trigger,
  TrustedIssuer,
} from '../core/tenant.ts'
import { createRules } from '../policy/rules.ts'
import type { AgentEntry } from './agents-file.ts'
import { buildAuth } from './build-auth.ts'
import { buildTrust } from './build-trust.ts'
import type { CheckedTenant } from './check-tenant.ts'
import type { ReceiverEntry, TransmitterEntry } from './event-parties.ts'
import { type Endpoints, endpointsByAgent, generatedHome, homeId, readHome } from './homes.ts'
import type { ResourceEntry } from './resources-file.ts'
import type { TaskTypeEntry } from './task-types-file.ts'
import type { IssuerEntry, RoleEntry, TenantFile } from './tenant-file.ts'
import type {
  AttesterEntry,
  AuthorityEntry,
  TrustDomainEntry,
  WorkloadIssuerEntry,
} from './trust-file.ts'
import { issuerOf } from './uri.ts'

export interface CheckedEntries {
  readonly tenant: TenantFile
  readonly issuers: readonly IssuerEntry[]
  readonly roles: readonly RoleEntry[]
  readonly receivers: readonly ReceiverEntry[]
  readonly transmitters: readonly TransmitterEntry[]
  readonly trustDomains: readonly TrustDomainEntry[]
  readonly authorities: readonly AuthorityEntry[]
  readonly workloadIssuers: readonly WorkloadIssuerEntry[]
  readonly attesters: readonly AttesterEntry[]
  readonly agents: readonly AgentEntry[]
  readonly resources: readonly ResourceEntry[]
  readonly taskTypes: readonly TaskTypeEntry[]
}

/** @param place whose `publicUrl` its issuer is under */
export function buildTenant(
  { id, publicUrl }: { readonly id: string; readonly publicUrl: string },
  { version, entries, policies }: CheckedTenant,
): Tenant {
  const issuer = issuerOf({ id, publicUrl })
  const endpoints = endpointsByAgent(entries.resources)
  const agents = entries.agents.map((entry) => buildAgent(entry, endpoints))
  const resources = [
    ...entries.resources.map(buildResource),
    ...agents
      .filter((agent) => agent.home === homeId(agent.id))
      .map((agent) => generatedHome(agent, issuer)),
  ]
  const { limits } = entries.tenant
  const tenant = {
    id,
    issuer,
    version,
    displayName: entries.tenant.display_name,
    signingAlgorithm: entries.tenant.signing_alg,
    limits: {
      maxDepth: limits.max_depth,
      taskLifetime: limits.task_lifetime,
      tokenLifetime: limits.token_lifetime,
      tokensPerPlace: limits.tokens_per_place,
      tokensPerTask: limits.tokens_per_task,
      requestsPerClient: limits.requests_per_client,
      requestsPerTenant: limits.requests_per_tenant,
      requestsPerTask: limits.requests_per_task,
    },
    trustedIssuers: new Map(entries.issuers.map((entry) => [entry.issuer, buildIssuer(entry)])),
    disabledSubjects: new Set(entries.tenant.disabled_subjects),
    agents: new Map(agents.map((agent) => [agent.id, agent])),
    resources: new Map(resources.map((resource) => [resource.id, resource])),
    resourcesByUri: new Map(resources.map((resource) => [resource.uri, resource])),
    scopes: new Map(entries.resources.flatMap(buildScopes).map((scope) => [scope.name, scope])),
    taskTypes: new Map(
      entries.taskTypes.map((entry) => [entry.id, buildTaskType(entry, entries.tenant)]),
    ),
    roles: entries.roles,
    eventReceivers: new Map(entries.receivers.map((entry) => [entry.id, buildReceiver(entry)])),
    eventTransmitters: new Map(
      entries.transmitters.map((entry) => [entry.id, buildTransmitter(entry, issuer)]),
    ),
    keysKilled: 0,
    keyCachePeriod: entries.tenant.signing_keys.cache_period,
    dpopNonces: entries.tenant.dpop_nonces,
    keptTexts: new Set(entries.tenant.audit.keep_texts),
    ...buildTrust(entries),
  }
  return { ...tenant, rules: createRules(tenant, policies) }
}

function buildIssuer(entry: IssuerEntry): TrustedIssuer {
  return {
    id: entry.id,
    issuer: entry.issuer,
    keys: entry.jwks_uri === undefined ? { jwks: entry.jwks ?? [] } : { jwksUri: entry.jwks_uri },
    algorithms: entry.algorithms,
    tokenTypes: new Set(entry.token_types),
    subjectPrefix: entry.subject_prefix,
    clientClaim: entry.client_claim,
    scopeClaim: entry.scope_claim,
    audiences: new Set(entry.audiences),
    subjectClaims: entry.subject_claims,
    managementClient: entry.management_client,
  }
}

function buildReceiver(entry: ReceiverEntry): EventReceiver {
  return {
    id: entry.id,
    keys: entry.jwks,
    binding: entry.binding,
    pushEndpoints: new Set(entry.push_endpoints),
  }
}

function buildTransmitter(entry: TransmitterEntry, tenant: string): EventTransmitter {
  return {
    id: entry.id,
    issuer: entry.issuer,
    audience: entry.audience ?? tenant,
    keys: entry.jwks_uri === undefined ? { jwks: entry.jwks ?? [] } : { jwksUri: entry.jwks_uri },
    algorithms: entry.algorithms,
    subjectsOf: entry.subjects_of,
  }
}

function buildAgent(entry: AgentEntry, endpoints: Endpoints): Agent {
  return {
    id: entry.id,
    owner: entry.owner,
    class: entry.class,
    purpose: entry.purpose,
    scopes: new Set(entry.scopes),
    mayReach: new Set(entry.may_reach),
    defaultTarget: entry.default_target,
    home: readHome(entry, endpoints),
    auth: buildAuth(entry.auth),
    issuerClients: new Map(Object.entries(entry.issuer_clients)),
    binding: entry.binding,
    expires: entry.expires,
    disabled: entry.disabled,
    registeredAt: undefined,
  }
}

function buildResource(entry: ResourceEntry): Resource {
  return {
    id: entry.id,
    uri: entry.uri,
    kind: entry.kind,
    agent: entry.kind === 'agent' ? entry.agent : undefined,
    scopes: new Set(entry.kind === 'agent' ? entry.scopes : Object.keys(entry.scopes)),
    sensitivity: entry.sensitivity,
    owner: entry.owner,
    keys: entry.keys ?? [],
  }
}

function buildScopes(entry: ResourceEntry): readonly Scope[] {
  if (entry.kind !== 'api') return []
  return Object.entries(entry.scopes).map(([name, { tier, sensitivity }]) => ({
    name,
    tier,
    sensitivity: sensitivity ?? entry.sensitivity,
    resource: entry.id,
  }))
}

function buildTaskType(entry: TaskTypeEntry, { limits }: TenantFile): TaskType {
  const lifetime = entry.lifetime ?? limits.task_lifetime
  return {
    id: entry.id,
    basis: entry.basis,
    openers: new Set(entry.openers),
    subjectsFrom: new Set(entry.subjects_from),
    scopes: entry.scopes,
    reach: entry.reach,
    maxDepth: entry.max_depth ?? limits.max_depth,
    lifetime,
    tokenLifetime: entry.token_lifetime ?? Math.min(limits.token_lifetime, lifetime),
    triggers: entry.triggers.map(buildTrigger),
  }
}

function buildTrigger({
  on,
  per,
  more_than,
  within,
  then,
}: TaskTypeEntry['triggers'][number]): Trigger {
  return { on, per, moreThan: more_than, within, verdict: then }
}
