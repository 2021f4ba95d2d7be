/**
 * Security events on real sockets: a server whose tenants have receivers (one bound to a key, one not, one that is pushed to)
 * and a transmitter; the receivers as clients; what they are sent, verified by another library.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { grantRoles } from './admin-client.ts'
import { AgentClient, type Answer } from './agent-client.ts'
import { startAuthorizationServer, type TestServer } from './authorization-server.ts'
import { ManageClient } from './manage-client.ts'
import { epoch, newKey, signJwt, type TestKey } from './signing.ts'
import type { TenantDocuments } from './tenant-folder.ts'

export const CAEP = 'https://schemas.openid.net/secevent/caep/event-type'
export const RISC = 'https://schemas.openid.net/secevent/risc/event-type'
export const SSF = 'https://schemas.openid.net/secevent/ssf/event-type'
export const HR = 'https://hr.example'
export const PUSH = 'urn:ietf:rfc:8935'
export const POLL = 'urn:ietf:rfc:8936'

export const RECEIVERS = ['siem', 'edr', 'soc'] as const
export type ReceiverId = (typeof RECEIVERS)[number]

export interface EventStage {
  readonly server: TestServer
  readonly push: PushReceiver
  /** Signs as the transmitter `hr`. */
  readonly hrKey: TestKey
  receiver(id: ReceiverId, tenant?: string): Promise<ManageClient>
  /** A stream of this receiver, made anew; its id. */
  stream(receiver: ManageClient, wishes?: Readonly<Record<string, unknown>>): Promise<string>
  /** A security event token of `hr` about alice; claims may be changed or, by undefined, left out. */
  event(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): string
  /** Sends it to the door of `hr`. */
  send(token: string, options?: SendOptions): Promise<Answer>
  close(): Promise<void>
}

export interface SendOptions {
  readonly tenant?: string
  readonly transmitter?: string
  readonly contentType?: string
  readonly method?: string
}

export async function setEventStage(
  change: (documents: TenantDocuments) => void = () => {},
): Promise<EventStage> {
  const push = await startPushReceiver()
  const hrKey = newKey('hr-1')
  const keys = new Map(RECEIVERS.map((id) => [id, newKey(`${id}-1`)]))
  const withEvents = (documents: TenantDocuments): void => {
    grantRoles(documents)
    documents.tenant['event_receivers'] = RECEIVERS.map((id) => ({
      id,
      jwks: { keys: [keys.get(id)!.publicJwk] },
      ...(id === 'edr' ? { binding: 'bearer' } : {}),
      ...(id === 'soc' ? { push_endpoints: [push.url, `${push.origin}/other`] } : {}),
    }))
    documents.tenant['event_transmitters'] = [
      {
        id: 'hr',
        issuer: HR,
        jwks: { keys: [hrKey.publicJwk] },
        algorithms: ['ES256'],
        subjects_of: 'idp',
      },
    ]
    change(documents)
  }
  const server = await startAuthorizationServer({
    tenants: { acme: withEvents, globex: withEvents, initech: () => {} },
    // Plain http on loopback is let through to the origin of the development identity provider.
    flags: { idpPort: String(push.port) },
  })
  return {
    server,
    push,
    hrKey,
    receiver: async (id, tenant = 'acme') => receiverOf(server.issuer(tenant), id, keys.get(id)!),
    stream: async (receiver, wishes = {}) => {
      const { body: old } = await receiver.get('ssf/stream')
      for (const { stream_id: id } of old as Iterable<Record<string, string>> & Answer['body']) {
        await receiver.send('DELETE', `ssf/stream?stream_id=${id}`)
      }
      const made = await receiver.post('ssf/stream', wishes)
      if (made.status !== 201) throw new Error(`no stream: ${made.status} ${made.text}`)
      return String(made.body['stream_id'])
    },
    event: (claims = {}, header = {}) => {
      const payload = {
        iss: HR,
        aud: server.issuer(),
        iat: epoch(),
        jti: crypto.randomUUID(),
        sub_id: { format: 'iss_sub', iss: 'https://idp.example', sub: 'alice' },
        events: { [`${CAEP}/session-revoked`]: { event_timestamp: epoch() } },
        ...claims,
      }
      const protectedHeader = { alg: 'ES256', kid: 'hr-1', typ: 'secevent+jwt', ...header }
      return signJwt(hrKey, protectedHeader, payload)
    },
    send: async (token, options = {}) => sendTo(server, token, options),
    close: async () => {
      await server.close()
      await push.close()
    },
  }
}

async function sendTo(
  server: TestServer,
  token: string,
  { tenant = 'acme', transmitter = 'hr', contentType, method = 'POST' }: SendOptions,
): Promise<Answer> {
  const response = await fetch(`${server.issuer(tenant)}/ssf/receive/${transmitter}`, {
    method,
    headers: { 'content-type': contentType ?? 'application/secevent+jwt' },
    ...(method === 'GET' ? {} : { body: token }),
  })
  const text = await response.text()
  const { status, headers } = response
  return { status, headers, text, body: text === '' ? {} : JSON.parse(text) }
}

/** Its management token is bound to a key, unless it is `edr`'s. */
async function receiverOf(issuer: string, id: ReceiverId, key: TestKey): Promise<ManageClient> {
  const client = new AgentClient(issuer, id, key)
  const form = { grant_type: 'client_credentials', resource: `${issuer}/manage` }
  const answer = await client.token(form, id === 'edr' ? { proof: null } : {})
  const token: unknown = answer.body['access_token']
  if (typeof token !== 'string') throw new Error(`no token: ${answer.status} ${answer.text}`)
  if (id !== 'edr') return new ManageClient(issuer, token, client.proofKey)
  return new BearerClient(issuer, token, client.proofKey)
}

class BearerClient extends ManageClient {
  override send(
    ...[method, path, request = {}]: Parameters<ManageClient['send']>
  ): Promise<Answer> {
    return super.send(method, path, {
      authorization: `Bearer ${this.token}`,
      proof: null,
      ...request,
    })
  }
}

export interface VerifiedEvent {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, any>>
  readonly type: string
  readonly members: Readonly<Record<string, any>>
}

/** Verified with the keys its metadata names. */
export async function verified(
  server: TestServer,
  token: string,
  audience = 'siem',
): Promise<VerifiedEvent> {
  const issuer = server.issuer()
  const metadata = await (
    await fetch(`${server.config.publicUrl}/.well-known/ssf-configuration/t/acme`)
  ).json()
  const jwks = (await (await fetch(metadata.jwks_uri)).json()) as JSONWebKeySet
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(jwks), {
    issuer,
    audience,
    typ: 'secevent+jwt',
    algorithms: ['RS256'],
  })
  const [[type, members] = ['', {}]] = Object.entries(payload['events'] as object)
  return { header: { ...protectedHeader }, claims: payload, type, members }
}

/** What waits, at once; in its order. */
export async function poll(
  receiver: ManageClient,
  stream: string,
  request: Readonly<Record<string, unknown>> = {},
): Promise<{
  readonly jtis: readonly string[]
  readonly tokens: readonly string[]
  readonly more: boolean
}> {
  const answer = await receiver.post(`ssf/poll/${stream}`, { returnImmediately: true, ...request })
  if (answer.status !== 200) throw new Error(`no events: ${answer.status} ${answer.text}`)
  const sets = answer.body['sets'] as Record<string, string>
  return {
    jtis: Object.keys(sets),
    tokens: Object.values(sets),
    more: answer.body['moreAvailable'],
  }
}

export interface Pushed {
  readonly path: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly token: string
}

/** A receiver's own server: keeps what it was sent and answers as it is told. */
export interface PushReceiver {
  readonly origin: string
  readonly url: string
  readonly port: number
  readonly received: Pushed[]
  /** What is answered, one after the other; the last one for ever. */
  answerWith(...answers: readonly PushReply[]): void
  /** Resolves when so many were received. */
  until(count: number): Promise<void>
  close(): Promise<void>
}

export interface PushReply {
  readonly status: number
  readonly body?: unknown
  /** Answered only once this resolves. */
  readonly after?: Promise<void>
}

export async function startPushReceiver(): Promise<PushReceiver> {
  const received: Pushed[] = []
  let answers: PushReply[] = [{ status: 202 }]
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const [answer = { status: 202 }, ...rest] = answers
      if (rest.length > 0) answers = rest
      const { url: path = '', headers } = request
      received.push({ path, headers, token: Buffer.concat(chunks).toString() })
      void (answer.after ?? Promise.resolve()).then(() => {
        response.writeHead(answer.status, { 'content-type': 'application/json' })
        response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body))
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  return {
    origin,
    port,
    url: `${origin}/events`,
    received,
    answerWith: (...next) => {
      answers = [...next]
    },
    until: async (count) => {
      const deadline = Date.now() + 20_000
      while (received.length < count) {
        if (Date.now() > deadline) throw new Error(`${received.length} of ${count} were pushed`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
