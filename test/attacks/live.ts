/** Changes of a tenant while the server runs: through the management API, as an identity team makes them. */
import type { AdminClient } from '../support/admin-client.ts'
import { tenantFiles } from '../support/admin-client.ts'
import type { AgentClient, Answer, Parameters } from '../support/agent-client.ts'
import { ACCESS_TOKEN, ASSERTION_TYPE, EXCHANGE } from '../support/agent-client.ts'
import type { TestServer } from '../support/authorization-server.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'
import { postForm, type SecondNode } from './second-node.ts'

export interface Change {
  /** Default: `acme`. */
  readonly tenant?: string
  readonly documents?: (documents: TenantDocuments) => void
  /** Cedar text by file name; default: the folder's own. */
  readonly rules?: Readonly<Record<string, string>>
}

/** The folder's files as they are, so changed. */
export function changedFiles(
  server: Pick<TestServer, 'config'>,
  change: Change,
): Record<string, string> {
  const { tenant = 'acme', documents, rules } = change
  const files = tenantFiles(server, tenant, documents)
  if (rules === undefined) return files
  const facts = Object.entries(files).filter(([path]) => !path.startsWith('policies/'))
  const policies = Object.entries(rules).map(([name, text]) => [`policies/${name}`, text] as const)
  return Object.fromEntries([...facts, ...policies])
}

/** The id of the version that is live. */
export async function liveVersionOf(operator: AdminClient, tenant = 'acme'): Promise<string> {
  return String((await operator.get(`/tenants/${tenant}`)).body['version'])
}

/** Makes the folder's files, so changed, the live version; resolves to its id. */
export async function apply(
  server: Pick<TestServer, 'config'>,
  operator: AdminClient,
  change: Change,
): Promise<string> {
  const version = await store(server, operator, change)
  await activate(operator, version, change.tenant)
  return version
}

/** Stores the folder's files, so changed, as a version that is not live; resolves to its id. */
export async function store(
  server: Pick<TestServer, 'config'>,
  operator: AdminClient,
  change: Change,
): Promise<string> {
  const { tenant = 'acme' } = change
  const added = await operator.post(`/tenants/${tenant}/versions`, {
    files: changedFiles(server, change),
  })
  const version: unknown = added.body['version']
  if (typeof version !== 'string') throw new Error(`no version: ${added.status} ${added.text}`)
  return version
}

/** Makes a version that is stored the live one. */
export async function activate(
  operator: AdminClient,
  version: string,
  tenant = 'acme',
): Promise<void> {
  const before = await liveVersionOf(operator, tenant)
  const activated = await operator.activate(tenant, version, before)
  if (activated.status !== 200) throw new Error(`not live: ${activated.status} ${activated.text}`)
}

export async function setDisabled(
  operator: AdminClient,
  agent: string,
  disabled: boolean,
): Promise<void> {
  const { status, text } = await operator.put(`/tenants/acme/agents/${agent}`, { disabled })
  if (status !== 200) throw new Error(`not changed: ${status} ${text}`)
}

/** The same request as `client.token`, sent to another node. */
export function tokenAt(
  { origin }: SecondNode,
  client: AgentClient,
  form: Parameters,
): Promise<Answer> {
  const { pathname } = new URL(`${client.issuer}/token`)
  const assertion = {
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: client.assertion(),
  }
  return postForm(`${origin}${pathname}`, { ...assertion, ...form }, { dpop: client.proof() })
}

export function exchangeAt(
  node: SecondNode,
  client: AgentClient,
  subject: string,
  form: Parameters = {},
): Promise<Answer> {
  const exchange = { grant_type: EXCHANGE, subject_token_type: ACCESS_TOKEN }
  return tokenAt(node, client, { ...exchange, subject_token: subject, ...form })
}
