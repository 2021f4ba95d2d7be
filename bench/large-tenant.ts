/**
 * A large tenant as a folder: 10,000 agents, 1,000 resources, 1,000 policies of which 990 name an agent or
 * an API. Half of the resources are APIs, half are endpoints of agents. In the form in which a program would write it.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { newKey, type TestKey } from '../test/support/signing.ts'
import { writeRules } from '../test/support/tenant-folder.ts'
import { policyTexts } from './rule-facts.ts'

export interface TenantSize {
  readonly agents: number
  readonly resources: number
  readonly policies: number
}

export const LARGE: TenantSize = { agents: 10_000, resources: 1000, policies: 1000 }

/** Key pairs take longer to make than all the rest; agents share these. */
const KEYS = 200
const POLICIES_IN_A_FILE = 100

/** What the tenant is for: agent 0 opens a task for a user and reads. */
const CASE = {
  subject: 'alice',
  actors: ['agent-0'],
  resource: 'api-0',
  scope: ['api-0:read'],
}

/** Writes `{folder}/{id}`. Returns a case that its rules permit. */
export function writeLargeTenant(folder: string, id: string, size: TenantSize): object {
  const place = join(folder, id)
  mkdirSync(join(place, 'tests'), { recursive: true })
  const write = (name: string, value: unknown): void =>
    writeFileSync(join(place, name), stringify(value, { aliasDuplicateObjects: false }))
  const keys = Array.from({ length: KEYS }, (_, index) => newKey(`key-${index}`))
  const half = Math.floor(size.resources / 2)
  write('tenant.yaml', TENANT)
  write('agents.yaml', { agents: numbered(size.agents, (index) => agent(index, half, keys)) })
  write('resources.yaml', { resources: [...numbered(half, api), ...numbered(half, endpoint)] })
  write('task-types.yaml', { task_types: [TASK_TYPE] })
  write('tests/read.yaml', { cases: [{ name: 'agent 0 reads', ...CASE, expect: 'permit' }] })
  writeRules(place, rules(size.policies))
  return CASE
}

/** The same tenant with one text over two lines, which takes the full YAML parser to read. */
export function copyWithFoldedText(from: string, to: string): void {
  cpSync(from, to, { recursive: true })
  const path = join(to, 'agents.yaml')
  const plain = readFileSync(path, 'utf8')
  const folded = plain.replace(/^( +)purpose: (\w+) /m, '$1purpose: >-\n$1  $2\n$1  ')
  if (folded === plain) throw new Error('no text to fold')
  writeFileSync(path, folded)
}

const TENANT = {
  display_name: 'Large',
  trusted_issuers: [
    {
      id: 'idp',
      issuer: 'https://idp.example.com',
      jwks_uri: 'https://idp.example.com/jwks',
      subject_claims: ['department'],
    },
  ],
}

const TASK_TYPE = {
  id: 'work',
  basis: 'policy',
  openers: ['agent-0'],
  subjects_from: ['idp'],
  scopes: ['api-0:read'],
  reach: ['api-0'],
}

const OPEN =
  '@id("open-work") permit (principal == Agent::"agent-0", action == Action::"open", resource == TaskType::"work");'

/** Every agent works at one API and may hand on to one other agent. */
function agent(index: number, half: number, keys: readonly TestKey[]): object {
  const at = `api-${index % half}`
  return {
    id: `agent-${index}`,
    owner: `team-${index % 100}@example.com`,
    class: index % 3 === 0 ? 'orchestrator' : 'worker',
    purpose: `Keeps the records of department ${index % 100}`,
    scopes: [`${at}:read`, `${at}:draft`],
    may_reach: [at, `agent-${(index + 1) % half}-a2a`],
    auth: { method: 'private_key_jwt', jwks: { keys: [keys[index % keys.length]?.publicJwk] } },
    issuer_clients: { idp: `client-${index}` },
  }
}

function api(index: number): object {
  const id = `api-${index}`
  return {
    id,
    uri: `https://${id}.example.com`,
    kind: 'api',
    owner: 'records@example.com',
    sensitivity: index % 2 === 0 ? 'low' : 'high',
    scopes: { [`${id}:read`]: { tier: 'read' }, [`${id}:draft`]: { tier: 'propose' } },
  }
}

function endpoint(index: number): object {
  const id = `agent-${index}`
  return {
    id: `${id}-a2a`,
    uri: `https://${id}.example.com/a2a`,
    kind: 'agent',
    agent: id,
    scopes: [`api-${index}:read`],
  }
}

/** Cedar text by file name. */
function rules(count: number): Readonly<Record<string, string>> {
  const texts = [OPEN, ...policyTexts(count - 1)]
  const files = numbered(Math.ceil(count / POLICIES_IN_A_FILE), (file) => [
    `rules-${file}.cedar`,
    `${texts.slice(file * POLICIES_IN_A_FILE, (file + 1) * POLICIES_IN_A_FILE).join('\n')}\n`,
  ])
  return Object.fromEntries(files)
}

function numbered<Value>(count: number, make: (index: number) => Value): Value[] {
  return Array.from({ length: count }, (_, index) => make(index))
}
