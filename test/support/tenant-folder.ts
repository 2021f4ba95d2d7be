/**
 * Writes a tenant folder for tests: four agents (one of them a stranger to every task), three APIs and three agent
 * endpoints. Any file can be changed as a plain object before it is written.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'

export type PublicKey = Readonly<Record<string, unknown>>

/** Plain objects in the shape of the YAML files, free to be changed. */
export interface TenantDocuments {
  tenant: Record<string, unknown>
  agents: { agents: Record<string, unknown>[] }
  resources: { resources: Record<string, unknown>[] }
  taskTypes: { task_types: Record<string, unknown>[] }
}

export interface TenantChanges {
  /** The user's issuer. Default: `https://idp.example`, keys at `/jwks` under it. */
  readonly idp?: {
    readonly issuer: string
    readonly jwksUri?: string
    readonly jwks?: readonly PublicKey[]
  }
  /** Public keys by agent id; an agent without has development keys. */
  readonly agentKeys?: Readonly<Partial<Record<string, PublicKey>>>
  /** Cedar text by file name. Default: one policy that permits everything the facts allow. */
  readonly rules?: Readonly<Record<string, string>>
  /** Changes the documents in place, last. */
  readonly change?: (documents: TenantDocuments) => void
}

/** Writes `{root}/{id}/*.yaml` and `policies/*.cedar` and returns that folder's path. */
export function writeTenantFolder(root: string, id: string, changes: TenantChanges = {}): string {
  const documents = tenantDocuments(changes)
  changes.change?.(documents)
  const folder = join(root, id)
  mkdirSync(folder, { recursive: true })
  const write = (name: string, value: unknown): void => {
    // An object used twice would be written as an anchor and an alias, which the reader refuses.
    const text = stringify(value, { aliasDuplicateObjects: false })
    writeFileSync(join(folder, name), text)
  }
  write('tenant.yaml', documents.tenant)
  write('agents.yaml', documents.agents)
  write('resources.yaml', documents.resources)
  write('task-types.yaml', documents.taskTypes)
  writeRules(folder, changes.rules ?? PERMIT_ALL)
  return folder
}

export const PERMIT_ALL = { 'all.cedar': '@id("all") permit (principal, action, resource);\n' }

/** Writes `{folder}/policies/*.cedar`, and nothing else stays there. */
export function writeRules(folder: string, rules: Readonly<Record<string, string>>): void {
  const place = join(folder, 'policies')
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place, { recursive: true })
  for (const [name, text] of Object.entries(rules)) writeFileSync(join(place, name), text)
}

export function tenantDocuments(changes: TenantChanges = {}): TenantDocuments {
  return {
    tenant: tenantDocument(changes),
    agents: { agents: agentEntries(changes.agentKeys ?? {}) },
    resources: { resources: resourceEntries() },
    taskTypes: { task_types: [fileWork()] },
  }
}

function tenantDocument({ idp }: TenantChanges): Record<string, unknown> {
  const issuer = idp?.issuer ?? 'https://idp.example'
  const keys =
    idp?.jwks === undefined
      ? { jwks_uri: idp?.jwksUri ?? `${issuer}/jwks` }
      : { jwks: { keys: idp.jwks } }
  return {
    display_name: 'Acme',
    trusted_issuers: [{ id: 'idp', issuer, ...keys }],
    limits: { max_depth: 4 },
  }
}

function agentEntries(
  keys: Readonly<Partial<Record<string, PublicKey>>>,
): Record<string, unknown>[] {
  const agent = (
    id: string,
    kind: string,
    scopes: readonly string[],
    mayReach: readonly string[],
  ): Record<string, unknown> => {
    const key = keys[id]
    return {
      id,
      owner: 'team@acme.example',
      class: kind,
      scopes: [...scopes],
      may_reach: [...mayReach],
      auth: {
        method: 'private_key_jwt',
        ...(key === undefined ? { development_keys: true } : { jwks: { keys: [key] } }),
      },
      issuer_clients: { idp: id },
    }
  }
  const endpoints = ['researcher-a2a', 'coder-a2a']
  const apis = ['files-api', 'mail-api', 'pay-api']
  return [
    agent(
      'planner',
      'orchestrator',
      ['files:read', 'files:write', 'mail:send', 'pay:transfer'],
      [...endpoints, ...apis],
    ),
    agent(
      'researcher',
      'retrieval',
      ['files:read', 'files:write', 'mail:send'],
      ['coder-a2a', 'files-api', 'mail-api'],
    ),
    agent('coder', 'worker', ['files:read', 'files:write'], ['files-api']),
    agent(
      'rogue',
      'worker',
      ['files:read', 'files:write', 'mail:send', 'pay:transfer'],
      [...endpoints, ...apis],
    ),
  ]
}

function resourceEntries(): Record<string, unknown>[] {
  const endpoint = (agent: string, scopes: readonly string[]): Record<string, unknown> => ({
    id: `${agent}-a2a`,
    uri: `https://${agent}.agents/a2a`,
    kind: 'agent',
    agent,
    scopes: [...scopes],
  })
  const api = (
    name: string,
    scopes: Readonly<Record<string, { readonly tier: string }>>,
  ): Record<string, unknown> => ({
    id: `${name}-api`,
    uri: `https://${name}.api`,
    kind: 'api',
    scopes: { ...scopes },
  })
  return [
    endpoint('researcher', ['files:read', 'files:write', 'mail:send']),
    endpoint('coder', ['files:read', 'files:write']),
    endpoint('rogue', ['files:read', 'files:write', 'mail:send']),
    api('files', { 'files:read': { tier: 'read' }, 'files:write': { tier: 'propose' } }),
    api('mail', { 'mail:send': { tier: 'propose' } }),
    api('pay', { 'pay:transfer': { tier: 'execute' } }),
  ]
}

function fileWork(): Record<string, unknown> {
  return {
    id: 'file-work',
    basis: 'policy',
    openers: ['planner'],
    subjects_from: ['idp'],
    scopes: ['files:read', 'files:write', 'mail:send', 'pay:transfer'],
    reach: ['researcher-a2a', 'coder-a2a', 'files-api', 'mail-api', 'pay-api'],
    max_depth: 3,
    lifetime: '10m',
    token_lifetime: '5m',
  }
}
