/** The stage of workload identity: a real server, platforms that give tokens, and agents that have nothing but those. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  AgentClient,
  type Answer,
  type Overrides,
  type Parameters,
} from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'
import { find } from './fixture.ts'
import {
  ABSENT,
  ACCOUNT,
  CLUSTER,
  clusterToken,
  GITHUB,
  GITLAB,
  githubToken,
  gitlabToken,
  type Members,
  PARTNERS,
  type Platform,
  PROD,
  REVIEWER,
  startPlatform,
  svid,
  svidKey,
} from './platform.ts'

export const FAILED = 'client_authentication_failed'
export const JWT_SPIFFE = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'
export const WORK = {
  grant_type: 'client_credentials',
  audience: 'files-api',
  scope: 'files:read',
} as const

/** What an agent of this stage is, and what its platform gives it. */
export interface Workload {
  readonly client: AgentClient
  /** A fresh token of its platform, for this server unless `claims` say otherwise. */
  token(claims?: Members, header?: Members): string
  /** The form's part of its authentication with such a token. */
  form(token?: string): Parameters
  /** Work of its own, asked for with such a token. */
  work(token?: string, form?: Parameters, overrides?: Overrides): Promise<Answer>
}

export interface WorkloadStage {
  readonly server: TestServer
  readonly platform: Platform
  /** By a JWT-SVID of the first trust domain. */
  readonly planner: Workload
  /** By one of the second, as one of a fleet. */
  readonly rogue: Workload
  /** By a cluster's token, which the cluster is asked about. */
  readonly researcher: Workload
  /** By GitHub's; and by GitLab's, which counts once. */
  readonly coder: Workload
  readonly runner: Workload
  /** By a key of its own. */
  readonly keyed: AgentClient
  /** Every credential that was put into a form. */
  readonly presented: readonly string[]
  close(): Promise<void>
}

export async function setWorkloadStage(): Promise<WorkloadStage> {
  const platform = await startPlatform()
  const server = await startAuthorizationServer({
    tenants: {
      acme: (documents) => extend(documents, platform),
      globex: (documents) => extend(documents, platform),
    },
    flags: { idpPort: String(platform.port) },
  })
  writeTrust(server, platform)
  const issuer = server.issuer()
  const presented: string[] = []
  const workload = (
    id: string,
    mint: (claims: Members, header: Members) => string,
    credentials: Parameters = { client_id: id },
  ): Workload => {
    const client = server.client(id)
    const token: Workload['token'] = (claims = {}, header = {}) => mint(claims, header)
    const form: Workload['form'] = (text = token()) => {
      presented.push(text)
      return { ...credentials, client_assertion: text }
    }
    return {
      client,
      token,
      form,
      work: (text, more = {}, overrides = {}) =>
        client.token({ ...WORK, ...form(text), ...more }, overrides),
    }
  }
  const spiffe = { client_assertion_type: JWT_SPIFFE }
  return {
    server,
    platform,
    planner: workload(
      'planner',
      (claims, header) => svid(platform.authority, { aud: [issuer], ...claims }, header),
      spiffe,
    ),
    rogue: workload(
      'rogue',
      (claims, header) => {
        const sub = `spiffe://${PARTNERS}/fleet/rogue-0`
        return svid(platform.partners, { sub, aud: [issuer], ...claims }, header)
      },
      spiffe,
    ),
    researcher: workload('researcher', (claims, header) =>
      clusterToken(platform, issuer, claims, header),
    ),
    coder: workload('coder', (claims) => githubToken(platform, issuer, claims)),
    runner: workload('runner', (claims) => gitlabToken(platform, issuer, claims)),
    // Its entry is a copy of rogue's, from before that had another method.
    keyed: new AgentClient(issuer, 'keyed', server.client('rogue').key),
    presented,
    close: async () => {
      await server.close()
      await platform.close()
    },
  }
}

/** What the operator puts beside the server. */
function writeTrust({ config }: TestServer, platform: Platform): void {
  for (const tenant of ['acme', 'globex']) {
    const folder = join(config.trustFolder, tenant)
    mkdirSync(folder, { recursive: true })
    const bundle = { keys: [svidKey(platform.partners)] }
    writeFileSync(join(folder, 'partners.json'), JSON.stringify(bundle))
    writeFileSync(join(folder, 'reviewer'), `${REVIEWER}\n`)
  }
}

function extend({ tenant, agents, taskTypes }: TenantDocuments, platform: Platform): void {
  tenant['trust_domains'] = [
    { name: PROD, bundle_url: `${platform.origin}/bundle` },
    { name: PARTNERS, bundle_file: 'partners.json' },
    { name: ABSENT, bundle_file: 'absent.json' },
  ]
  tenant['workload_issuers'] = [
    {
      id: 'cluster',
      kind: 'kubernetes',
      issuer: CLUSTER,
      jwks_uri: `${platform.origin}/openid/v1/jwks`,
      token_review: { url: platform.origin, token_file: 'reviewer' },
    },
    { id: 'github', kind: 'oidc', issuer: GITHUB, jwks: { keys: [platform.github.publicJwk] } },
    {
      id: 'gitlab',
      kind: 'oidc',
      issuer: GITLAB,
      jwks: { keys: [platform.gitlab.publicJwk] },
      single_use: true,
    },
  ]
  const auth = (id: string, value: Members): void => {
    find(agents.agents, id)['auth'] = value
  }
  const rogue = find(agents.agents, 'rogue')
  agents.agents.push({ ...rogue, id: 'runner' }, { ...rogue, id: 'keyed' })
  agents.agents.push({ ...rogue, id: 'retired', disabled: true })
  agents.agents.push({ ...rogue, id: 'lost' })
  for (const id of ['runner', 'keyed', 'retired', 'lost'])
    delete find(agents.agents, id)['issuer_clients']
  auth('planner', { method: 'spiffe_jwt', spiffe_id: `spiffe://${PROD}/agents/planner` })
  auth('retired', { method: 'spiffe_jwt', spiffe_id: `spiffe://${PROD}/agents/retired` })
  auth('lost', { method: 'spiffe_jwt', spiffe_id: `spiffe://${ABSENT}/agents/lost` })
  auth('rogue', { method: 'spiffe_jwt', spiffe_id: `spiffe://${PARTNERS}/fleet/*` })
  auth('researcher', {
    method: 'workload_jwt',
    issuer: 'cluster',
    claims: {
      '/sub': ACCOUNT.subject,
      '/kubernetes.io/namespace': 'agents',
      '/kubernetes.io/serviceaccount/uid': ACCOUNT.uid,
    },
  })
  auth('coder', {
    method: 'workload_jwt',
    issuer: 'github',
    claims: { '/repository_id': '74', '/ref': ['refs/heads/main'], '/ref_protected': 'true' },
  })
  auth('runner', {
    method: 'workload_jwt',
    issuer: 'gitlab',
    claims: { '/project_id': '20', '/runner_id': '1' },
  })
  const [fileWork] = taskTypes.task_types
  taskTypes.task_types.push({
    ...fileWork,
    id: 'own-work',
    basis: 'client',
    openers: ['planner', 'researcher', 'coder', 'rogue', 'runner', 'keyed', 'retired'],
    subjects_from: [],
    scopes: ['files:read'],
  })
}
