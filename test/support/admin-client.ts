/**
 * A client of the management API for tests: signs in as the operator or as a person, proves its key with every request, and
 * lets a test change token, proof or headers before they are sent over a real socket.
 */
import { createHash, createPrivateKey, createPublicKey, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { parse, stringify } from 'yaml'
import type { Role } from '../../server/core/tenant.ts'
import { type Answer, ASSERTION_TYPE, EXCHANGE, ID_TOKEN, type Parameters } from './agent-client.ts'
import type { TestServer } from './authorization-server.ts'
import { bareJwk, epoch, newKey, signJwt, type TestKey } from './signing.ts'
import type { TenantDocuments } from './tenant-folder.ts'

export interface AdminRequest {
  /** Sent as JSON; a string or bytes as they are. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Replaces the token and its scheme; null: none. */
  readonly authorization?: string | null
  /** Members of the proof; null: no proof at all. */
  readonly proof?: Readonly<Record<string, unknown>> | null
  readonly proofKey?: TestKey
}

export class AdminClient {
  readonly publicUrl: string
  /** Where requests go: another node's, where it is not the public URL. */
  readonly origin: string
  readonly key: TestKey = newKey()
  /** Set by signing in; a test may set another. */
  token = ''

  constructor(publicUrl: string, origin: string = publicUrl) {
    this.publicUrl = publicUrl
    this.origin = origin
  }

  /** `path` under `/admin/v1`, with its query. */
  async send(method: string, path: string, request: AdminRequest = {}): Promise<Answer> {
    const url = `${this.publicUrl}/admin/v1${path}`
    const { body, headers, authorization = `DPoP ${this.token}` } = request
    const hasJson = body !== undefined
    const response = await fetch(this.#at(url), {
      method,
      redirect: 'manual',
      headers: {
        ...(hasJson ? { 'content-type': 'application/json' } : {}),
        ...(authorization === null ? {} : { authorization }),
        ...(request.proof === null ? {} : { dpop: this.proof(method, url, request) }),
        ...headers,
      },
      ...(hasJson ? { body: rawBody(body) } : {}),
    })
    return answerOf(response)
  }

  get(path: string, request?: AdminRequest): Promise<Answer> {
    return this.send('GET', path, request)
  }

  post(path: string, body: unknown, request: AdminRequest = {}): Promise<Answer> {
    return this.send('POST', path, { body, ...request })
  }

  put(path: string, body: unknown, request: AdminRequest = {}): Promise<Answer> {
    return this.send('PUT', path, { body, ...request })
  }

  /** Makes a version live where `live` is, or, with undefined, where none is. */
  activate(tenant: string, version: string, live: string | undefined): Promise<Answer> {
    const headers: Record<string, string> =
      live === undefined ? { 'if-none-match': '*' } : { 'if-match': `"${live}"` }
    return this.send('POST', `/tenants/${tenant}/versions/${version}/activate`, { headers })
  }

  proof(method: string, url: string, { proof, proofKey = this.key }: AdminRequest = {}): string {
    const ath = createHash('sha256').update(this.token).digest('base64url')
    const [htu] = url.split('?')
    return signJwt(
      proofKey,
      { alg: 'ES256', typ: 'dpop+jwt', jwk: bareJwk(proofKey) },
      { jti: randomUUID(), htm: method, htu, iat: epoch(), ath, ...proof },
    )
  }

  /** A form to a token endpoint; keeps the token if there is one. */
  async signIn(path: string, form: Parameters, request: AdminRequest = {}): Promise<Answer> {
    const url = `${this.publicUrl}/admin/v1${path}`
    const body = new URLSearchParams()
    for (const [name, value] of Object.entries(form)) {
      for (const item of Array.isArray(value) ? value : [value]) {
        if (item !== undefined) body.append(name, item)
      }
    }
    const proof = request.proof === null ? {} : { dpop: this.proof('POST', url, request) }
    const headers = { ...proof, ...request.headers }
    const answer = await answerOf(await fetch(this.#at(url), { method: 'POST', body, headers }))
    if (answer.status === 200) this.token = String(answer.body['access_token'])
    return answer
  }

  #at(url: string): string {
    return this.origin + url.slice(this.publicUrl.length)
  }

  signInPerson(
    tenant: string,
    idToken: string,
    form: Parameters = {},
    request?: AdminRequest,
  ): Promise<Answer> {
    return this.signIn(
      `/tenants/${tenant}/token`,
      { grant_type: EXCHANGE, subject_token: idToken, subject_token_type: ID_TOKEN, ...form },
      request,
    )
  }
}

/** The form of the operator's sign-in, with members of the assertion changed. */
export function operatorForm(
  { config }: Pick<TestServer, 'config'>,
  assertion: Readonly<Record<string, unknown>> = {},
  key: TestKey = operatorKey({ config }),
): Parameters {
  const now = epoch()
  const claims = { iss: 'operator', sub: 'operator', aud: `${config.publicUrl}/admin/v1` }
  const client_assertion = signJwt(
    key,
    { alg: 'ES256', typ: 'client-authentication+jwt' },
    { ...claims, jti: randomUUID(), iat: now, exp: now + 60, ...assertion },
  )
  const grant_type = 'client_credentials'
  return { grant_type, client_assertion_type: ASSERTION_TYPE, client_assertion }
}

/** The key the first start wrote. */
export function operatorKey({ config }: Pick<TestServer, 'config'>): TestKey {
  const jwk = JSON.parse(readFileSync(join(config.dataFolder, 'operator.jwk'), 'utf8'))
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' })
  const publicJwk = { ...createPublicKey(privateKey).export({ format: 'jwk' }) }
  return { privateKey, publicJwk, thumbprint: '' }
}

/** Signed in, at another node where `origin` names one. */
export async function operatorOf(
  server: Pick<TestServer, 'config'>,
  origin: string = server.config.publicUrl,
): Promise<AdminClient> {
  const client = new AdminClient(server.config.publicUrl, origin)
  const answer = await client.signIn('/token', operatorForm(server))
  if (answer.status !== 200) throw new Error(`the operator may not sign in: ${answer.text}`)
  return client
}

/** Groups of the identity provider, by the role they give where `grantRoles` changed a tenant. */
export const GROUPS = {
  admin: 'identity-team',
  policy_author: 'policy-authors',
  helpdesk: 'service-desk',
  reviewer: 'reviewers',
} as const satisfies Record<Role, string>

export const MANAGEMENT_CLIENT = 'console'

/** People of the identity provider may manage this tenant, by their groups. */
export function grantRoles({ tenant }: TenantDocuments): void {
  const [idp] = tenant['trusted_issuers'] as Record<string, unknown>[]
  if (idp === undefined) throw new Error('the fixture trusts nobody')
  idp['management_client'] = MANAGEMENT_CLIENT
  tenant['roles'] = Object.entries(GROUPS).map(([role, value]) => ({
    role,
    issuer: 'idp',
    claim: 'groups',
    value,
  }))
}

const DOCUMENTS = {
  tenant: 'tenant.yaml',
  agents: 'agents.yaml',
  resources: 'resources.yaml',
  taskTypes: 'task-types.yaml',
} as const

/** Files of a tenant as they are in the server's folder; those that `change` changed are written anew. */
export function tenantFiles(
  { config }: Pick<TestServer, 'config'>,
  tenant: string,
  change: (documents: TenantDocuments) => void = () => {},
): Record<string, string> {
  const root = join(config.tenantsFolder, tenant)
  const files: Record<string, string> = {}
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) files[relative(root, path)] = readFileSync(path, 'utf8')
  }
  const read = (name: string): unknown => parse(files[name] ?? '')
  const before = Object.entries(DOCUMENTS).map(([key, name]) => [key, read(name)] as const)
  const documents = Object.fromEntries(before) as unknown as TenantDocuments
  change(documents)
  for (const [key, name] of Object.entries(DOCUMENTS)) {
    const document = documents[key as keyof typeof DOCUMENTS]
    if (isDeepStrictEqual(document, read(name))) continue
    files[name] = stringify(document, { aliasDuplicateObjects: false })
  }
  return files
}

/** dave, signed in with these roles. */
export async function personOf(
  server: TestServer,
  tenant: string,
  ...roles: readonly Role[]
): Promise<AdminClient> {
  const client = new AdminClient(server.config.publicUrl)
  const groups = roles.map((role) => GROUPS[role])
  const idToken = server.idToken('dave', MANAGEMENT_CLIENT, { groups })
  const answer = await client.signInPerson(tenant, idToken)
  if (answer.status !== 200) throw new Error(`dave may not sign in: ${answer.text}`)
  return client
}

function rawBody(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body)
}

async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response
  const text = await response.text()
  const isJson = headers.get('content-type')?.includes('json') ?? false
  return { status, headers, text, body: isJson ? JSON.parse(text) : {} }
}
