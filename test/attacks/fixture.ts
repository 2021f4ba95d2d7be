/**
 * The stage of the attack cases: the real server with tenants acme, globex and initech, a second trusted issuer, tasks
 * of an agent's own and a deep chain; tokens it minted, and the tenant's own signing key for tokens no honest server
 * would sign.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSealed } from '../../keys/sealed-file.ts'
import { createLocalSigner, type PrivateJwk, type Signer } from '../../keys/signer.ts'
import { grantRoles } from '../support/admin-client.ts'
import type { AgentClient, Answer } from '../support/agent-client.ts'
import {
  startAuthorizationServer,
  type TestServer,
  type TestServerOptions,
} from '../support/authorization-server.ts'
import { encode, epoch, newKey, type payloadOf, signJwt, type TestKey } from '../support/signing.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'

/** The members of a JSON object, of any type. */
export type Claims = ReturnType<typeof payloadOf>

/** Nobody's clock is there but a test's. */
export const RESEARCHER_EXPIRES = '2098-01-01T00:00:00Z'

/** A minute, in tenant initech. */
export const REQUESTS_PER_CRAMPED_TASK = 5

export const PARTNER = 'https://partner.example'
export const TRUST_DOMAIN = 'prod.acme.example'
export const PLATFORM = 'https://platform.example'

export interface Stage {
  readonly server: TestServer
  readonly planner: AgentClient
  readonly researcher: AgentClient
  readonly coder: AgentClient
  readonly rogue: AgentClient
  readonly partnerKey: TestKey
  /** Agents without keys: what signs JWT-SVIDs for one of them, and a platform's tokens for the other. */
  readonly bundleKey: TestKey
  readonly platformKey: TestKey
  /** A JWT of the second trusted issuer, subject prefix `partner:`, scopes bound by its `may` claim. */
  partnerToken(claims?: Readonly<Record<string, unknown>>): string
  /** alice's token for planner, addressed to researcher: scopes files:read files:write. */
  first(form?: Readonly<Record<string, string>>): Promise<string>
  /** researcher's token from `first`, addressed to coder. */
  second(): Promise<string>
  /** An agent's own token, on nobody's behalf. */
  own(agent: AgentClient): Promise<string>
  /** Signs with the tenant's real key. `header` and `payload` may be raw JSON text. */
  signAsTenant(header: unknown, payload: unknown, tenant?: string): Promise<string>
  /** The header of the tenant's access tokens. */
  tokenHeader(tenant?: string): Readonly<Record<string, string>>
  close(): Promise<void>
}

/** `options`: where its log goes, and more of its environment. */
export async function setStage(
  options: Pick<TestServerOptions, 'environment' | 'log'> = {},
): Promise<Stage> {
  const keys = {
    partnerKey: newKey('partner-1'),
    bundleKey: newKey('bundle-1'),
    platformKey: newKey('platform-1'),
  }
  const { partnerKey } = keys
  const server = await startAuthorizationServer({
    ...options,
    tenants: {
      acme: (documents) => {
        extend(documents, keys)
        documents.tenant['audit'] = { keep_texts: ['purpose', 'because'] }
      },
      globex: (documents) => extend(documents, keys),
      initech: crampedTenant,
    },
  })
  const [planner, researcher, coder, rogue] = [
    server.client('planner'),
    server.client('researcher'),
    server.client('coder'),
    server.client('rogue'),
  ]
  const first: Stage['first'] = async (form = {}) =>
    tokenOf(
      await planner.open(server.idToken(), {
        audience: 'researcher-a2a',
        scope: 'files:read files:write',
        ...form,
      }),
    )
  const signer = (tenant: string) => signerAt(server, tenant)
  return {
    server,
    planner,
    researcher,
    coder,
    rogue,
    ...keys,
    partnerToken: (claims = {}) => {
      const now = epoch()
      const payload = {
        iss: PARTNER,
        sub: 'alice',
        aud: server.issuer(),
        app: 'planner-at-partner',
        may: 'files:read mail:send',
        iat: now,
        exp: now + 600,
        ...claims,
      }
      return signJwt(partnerKey, { alg: 'ES256', kid: 'partner-1', typ: 'JWT' }, payload)
    },
    first,
    second: async () =>
      tokenOf(await researcher.exchange(await first(), { audience: 'coder-a2a' })),
    own: async (agent) => tokenOf(await agent.token({ grant_type: 'client_credentials' })),
    signAsTenant: async (header, payload, tenant = 'acme') => {
      const input = `${encode(header)}.${encode(payload)}`
      return `${input}.${await signer(tenant).sign(input)}`
    },
    tokenHeader: (tenant = 'acme') => ({ alg: 'ES256', typ: 'at+jwt', kid: signer(tenant).kid }),
    close: () => server.close(),
  }
}

/** The access token of an answer that must be one. */
export function tokenOf(answer: Answer): string {
  const token: unknown = answer.body['access_token']
  if (answer.status !== 200 || typeof token !== 'string') {
    throw new Error(`expected a token, got ${answer.status} ${answer.text.slice(0, 400)}`)
  }
  return token
}

const signers = new Map<string, Signer>()

/** The tenant's real key, as it was first, unsealed once: that is slow on purpose. */
export function signerAt({ config }: TestServer, tenant: string): Signer {
  const path = join(config.dataFolder, 'keys', `${tenant}.1.sealed`)
  const known = signers.get(path)
  if (known !== undefined) return known
  const sealed = readSealed(path, readFileSync(join(config.dataFolder, 'key-secret'), 'utf8'))
  const signer = createLocalSigner(JSON.parse(sealed ?? '') as PrivateJwk, 'ES256')
  signers.set(path, signer)
  return signer
}

/** One entry of a tenant's documents, free to be changed. */
export function find(entries: Record<string, unknown>[], id: string): Claims {
  const entry = entries.find((candidate) => candidate['id'] === id)
  if (entry === undefined) throw new Error(`the fixture has no ${id}`)
  return entry
}

type StageKeys = Pick<Stage, 'partnerKey' | 'bundleKey' | 'platformKey'>

function extend(documents: TenantDocuments, keys: StageKeys): void {
  const { tenant, agents, resources, taskTypes } = documents
  grantRoles(documents)
  const issuers = tenant['trusted_issuers'] as Record<string, unknown>[]
  issuers.push({
    id: 'partner',
    issuer: PARTNER,
    jwks: { keys: [keys.partnerKey.publicJwk] },
    token_types: ['jwt'],
    subject_prefix: 'partner:',
    client_claim: 'app',
    scope_claim: 'may',
  })
  const many = { tokens_per_place: 4096, tokens_per_task: 4096, requests_per_task: 100_000 }
  tenant['limits'] = { max_depth: 4, ...many }
  tenant['disabled_subjects'] = ['mallory']
  resources.resources.push({
    id: 'planner-a2a',
    uri: 'https://planner.agents/a2a',
    kind: 'agent',
    agent: 'planner',
    scopes: ['files:read', 'files:write', 'mail:send'],
  })
  const [fileWork] = taskTypes.task_types
  if (fileWork === undefined) throw new Error('the fixture has no task type')
  fileWork['subjects_from'] = ['idp', 'partner']
  fileWork['reach'] = [...(fileWork['reach'] as string[]), 'planner-a2a']
  addWorkloads(documents, keys)
  const everyone = ['planner', 'researcher', 'coder', 'rogue', 'courier', 'builder']
  taskTypes.task_types.push(
    {
      ...fileWork,
      id: 'own-work',
      basis: 'client',
      openers: everyone,
      subjects_from: [],
      scopes: ['files:read', 'mail:send'],
    },
    {
      ...fileWork,
      id: 'deep-work',
      openers: ['researcher'],
      reach: ['coder-a2a', 'rogue-a2a', 'planner-a2a', 'files-api'],
    },
  )
  const reach = (id: string, more: readonly string[]): void => {
    const agent = find(agents.agents, id)
    agent['may_reach'] = [...agent['may_reach'], ...more]
  }
  find(agents.agents, 'planner')['issuer_clients'] = {
    idp: 'planner',
    partner: 'planner-at-partner',
  }
  reach('planner', ['planner-a2a', 'rogue-a2a'])
  reach('researcher', ['planner-a2a'])
  find(agents.agents, 'researcher')['expires'] = RESEARCHER_EXPIRES
  reach('coder', ['rogue-a2a', 'planner-a2a'])
  // The chain's stranger may hand on, and reach no API.
  find(agents.agents, 'rogue')['may_reach'] = ['planner-a2a']
}

/** `courier` proves itself by a JWT-SVID, `builder` by a token of its platform. */
function addWorkloads({ tenant, agents }: TenantDocuments, keys: StageKeys): void {
  const { use: _, alg: __, ...jwk } = keys.bundleKey.publicJwk
  tenant['trust_domains'] = [
    { name: TRUST_DOMAIN, bundle: { keys: [{ ...jwk, use: 'jwt-svid' }] } },
  ]
  tenant['workload_issuers'] = [
    {
      id: 'platform',
      kind: 'oidc',
      issuer: PLATFORM,
      algorithms: ['ES256'],
      jwks: { keys: [keys.platformKey.publicJwk] },
    },
  ]
  const { issuer_clients: ___, ...entry } = find(agents.agents, 'coder')
  const spiffeId = `spiffe://${TRUST_DOMAIN}/agents/courier`
  agents.agents.push(
    { ...entry, id: 'courier', auth: { method: 'spiffe_jwt', spiffe_id: spiffeId } },
    {
      ...entry,
      id: 'builder',
      auth: { method: 'workload_jwt', issuer: 'platform', claims: { '/sub': 'builder-0' } },
    },
  )
}

/**
 * Little of everything: few tokens and requests, several task types, one that ends at the first thing seen, an agent past its
 * date, one disabled, names too long for a token.
 */
function crampedTenant({ tenant, agents, resources, taskTypes }: TenantDocuments): void {
  tenant['limits'] = {
    max_depth: 4,
    tokens_per_place: 2,
    tokens_per_task: 3,
    requests_per_task: REQUESTS_PER_CRAMPED_TASK,
  }
  const [fileWork] = taskTypes.task_types
  const wide = Array.from({ length: 20 }, (_, at) => `wide-${at}`)
  for (const id of wide) {
    const uri = `https://${id}.api/${'x'.repeat(200)}`
    const scopes = { [`${id}:read`]: { tier: 'read' } }
    resources.resources.push({ id, uri, kind: 'api', scopes })
  }
  taskTypes.task_types.push({ ...fileWork, id: 'wide-work', reach: ['files-api', ...wide] })
  const triggers = [
    { on: 'exchanges', more_than: 0, within: '8h', then: 'suspend' },
    { on: 'refused_widening', more_than: 0, within: '8h', then: 'revoke' },
  ]
  taskTypes.task_types.push({ ...fileWork, id: 'watched-work', triggers })
  find(agents.agents, 'rogue')['disabled'] = true
  find(agents.agents, 'coder')['expires'] = '2020-01-01T00:00:00Z'
  // This server has no TLS.
  find(agents.agents, 'researcher')['binding'] = 'mtls'
}
