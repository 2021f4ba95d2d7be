/**
 * A client of what is managed under a tenant's issuer: tasks and events. It holds a management token for `{issuer}/manage`, as
 * an agent, a receiver, a person or the operator, and sends it with a proof over a real socket.
 */
import { createHash, randomUUID } from 'node:crypto'
import type { Role } from '../../server/core/tenant.ts'
import { AdminClient, GROUPS, MANAGEMENT_CLIENT, operatorForm } from './admin-client.ts'
import type { AgentClient, Answer } from './agent-client.ts'
import type { TestServer } from './authorization-server.ts'
import { bareJwk, epoch, newKey, signJwt, type TestKey } from './signing.ts'

export interface ManageRequest {
  /** Sent as JSON; text as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Replaces `DPoP {token}`; `null`: no such header. */
  readonly authorization?: string | null
  /** Members of the proof; `null`: no proof at all. */
  readonly proof?: Readonly<Record<string, unknown>> | null
  readonly proofKey?: TestKey
}

export class ManageClient {
  readonly issuer: string
  readonly token: string
  readonly key: TestKey
  /** Where requests go: another node's, where it is not the issuer's. */
  readonly origin: string

  constructor(
    issuer: string,
    token: string,
    key: TestKey,
    origin: string = new URL(issuer).origin,
  ) {
    this.issuer = issuer
    this.token = token
    this.key = key
    this.origin = origin
  }

  /** `path` under the issuer, with its query. */
  async send(method: string, path: string, request: ManageRequest = {}): Promise<Answer> {
    const url = `${this.issuer}/${path}`
    const { body, headers, authorization = `DPoP ${this.token}` } = request
    const response = await fetch(this.origin + url.slice(new URL(url).origin.length), {
      method,
      redirect: 'manual',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(authorization === null ? {} : { authorization }),
        ...(request.proof === null ? {} : { dpop: this.proof(method, url, request) }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = /^application\/(?:problem\+)?json$/.test(
      response.headers.get('content-type') ?? '',
    )
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : {},
    }
  }

  get(path: string, request?: ManageRequest): Promise<Answer> {
    return this.send('GET', path, request)
  }

  post(path: string, body: unknown = {}, request: ManageRequest = {}): Promise<Answer> {
    return this.send('POST', path, { body, ...request })
  }

  proof(method: string, url: string, { proof, proofKey = this.key }: ManageRequest = {}): string {
    const ath = createHash('sha256').update(this.token).digest('base64url')
    const [htu] = url.split('?')
    return signJwt(
      proofKey,
      { alg: 'ES256', typ: 'dpop+jwt', jwk: bareJwk(proofKey) },
      { jti: randomUUID(), htm: method, htu, iat: epoch(), ath, ...proof },
    )
  }

  /** The same holder, at another node. */
  at(origin: string): ManageClient {
    return new ManageClient(this.issuer, this.token, this.key, origin)
  }
}

function tokenIn(answer: Answer): string {
  const token: unknown = answer.body['access_token']
  if (answer.status === 200 && typeof token === 'string') return token
  throw new Error(`no management token: ${answer.status} ${answer.text}`)
}

/** An agent, or a receiver of events. */
export async function clientOf(client: AgentClient): Promise<ManageClient> {
  const answer = await client.token({
    grant_type: 'client_credentials',
    resource: `${client.issuer}/manage`,
  })
  return new ManageClient(client.issuer, tokenIn(answer), client.proofKey)
}

/** `user`, signed in with these roles, and as the subject of their own tasks. */
export async function personAt(
  server: TestServer,
  user: string,
  { tenant = 'acme', roles = [] }: { tenant?: string; roles?: readonly Role[] } = {},
): Promise<ManageClient> {
  const issuer = server.issuer(tenant)
  const admin = new AdminClient(server.config.publicUrl)
  const groups = roles.map((role) => GROUPS[role])
  const idToken = server.idToken(user, MANAGEMENT_CLIENT, { groups })
  const answer = await admin.signInPerson(tenant, idToken, { resource: `${issuer}/manage` })
  return new ManageClient(issuer, tokenIn(answer), admin.key)
}

export async function operatorAt(
  server: Pick<TestServer, 'config' | 'issuer'>,
  tenant = 'acme',
): Promise<ManageClient> {
  const issuer = server.issuer(tenant)
  const admin = new AdminClient(server.config.publicUrl)
  const form = { ...operatorForm(server), resource: `${issuer}/manage` }
  return new ManageClient(issuer, tokenIn(await admin.signIn('/token', form)), admin.key)
}

/** A new key, for whoever presents another's token. */
export function presenting(issuer: string, token: string, key: TestKey = newKey()): ManageClient {
  return new ManageClient(issuer, token, key)
}
