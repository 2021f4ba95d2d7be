/**
 * The bench's tenant: agents a1 to a9, each of which may hand work to any later one, two APIs, and limits as wide as they
 * go. In production mode, so that nothing measured is a development default.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { newKey, type TestKey } from '../test/support/signing.ts'
import { PERMIT_ALL, writeRules } from '../test/support/tenant-folder.ts'

export const BENCH_ORIGIN = 'https://as.example.com'
export const BENCH_ISSUER = `${BENCH_ORIGIN}/t/bench`
export const BENCH_IDP = 'https://idp.example.com'
export const AGENTS = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8', 'a9'] as const
export const API = 'ledger-api'

const SCOPES = ['docs:read', 'ledger:read', 'ledger:propose'] as const

export interface TenantKeys {
  readonly idp: TestKey
  readonly agents: ReadonlyMap<string, TestKey>
}

export function endpointOf(agent: string): string {
  return `${agent}-a2a`
}

/**
 * Writes `{folder}/bench` and returns the keys it trusts. With `bearer` its tokens are bound to no key: for what is measured
 * without proofs.
 */
export function writeBenchTenant(folder: string, binding: 'dpop' | 'bearer' = 'dpop'): TenantKeys {
  const agents = new Map(AGENTS.map((id) => [id as string, newKey(`${id}-1`)]))
  const idp = newKey('idp-1')
  const place = join(folder, 'bench')
  mkdirSync(place, { recursive: true })
  const write = (name: string, value: unknown): void =>
    writeFileSync(join(place, name), stringify(value, { aliasDuplicateObjects: false }))
  const trusted = { id: 'idp', issuer: BENCH_IDP, jwks: { keys: [idp.publicJwk] } }
  write('tenant.yaml', { display_name: 'Bench', trusted_issuers: [trusted], limits: LIMITS })
  write('agents.yaml', { agents: [...agents].map(([id, key]) => agent(id, key, binding)) })
  write('resources.yaml', { resources: resources() })
  write('task-types.yaml', { task_types: [TASK_TYPE] })
  writeRules(place, PERMIT_ALL)
  return { idp, agents }
}

const LIMITS = {
  max_depth: 8,
  task_lifetime: '8h',
  token_lifetime: '1h',
  tokens_per_place: 4096,
  tokens_per_task: 65_536,
  // A single client asks as fast as it can.
  requests_per_client: 10_000_000,
  requests_per_tenant: 10_000_000,
  requests_per_task: 10_000_000,
}

const TASK_TYPE = {
  id: 'bench-work',
  basis: 'policy',
  openers: ['a1'],
  subjects_from: ['idp'],
  scopes: [...SCOPES],
  reach: [...AGENTS.slice(1).map(endpointOf), API],
  max_depth: 8,
  lifetime: '8h',
  token_lifetime: '1h',
}

function agent(id: string, key: TestKey, binding: string): object {
  const later = AGENTS.filter((other) => other > id).map(endpointOf)
  return {
    id,
    owner: 'team@example.com',
    class: 'worker',
    scopes: [...SCOPES],
    may_reach: [...later, API],
    auth: { method: 'private_key_jwt', jwks: { keys: [key.publicJwk] } },
    issuer_clients: { idp: id },
    binding,
  }
}

function resources(): object[] {
  const endpoints = AGENTS.map((id) => ({
    id: endpointOf(id),
    uri: `https://${id}.example.com/a2a`,
    kind: 'agent',
    agent: id,
    scopes: [...SCOPES],
  }))
  const api = (name: string, scopes: object): object => ({
    id: `${name}-api`,
    uri: `https://${name}.example.com/api`,
    kind: 'api',
    scopes,
  })
  const ledger = { 'ledger:read': { tier: 'read' }, 'ledger:propose': { tier: 'propose' } }
  return [...endpoints, api('docs', { 'docs:read': { tier: 'read' } }), api('ledger', ledger)]
}
