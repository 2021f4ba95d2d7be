/**
 * A server of somebody else that exchanges tokens: @cloudflare/workers-oauth-provider behind node:http, with a store in memory
 * and the one class it imports from its own runtime. A user's token comes by its own authorization code flow.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { registerHooks } from 'node:module'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { RunningServer } from './plain-provider.ts'

export interface WorkersProvider extends RunningServer {
  readonly resource: string
  readonly client: { readonly client_id: string; readonly client_secret: string }
  /** Of a user, for the client. */
  readonly token: string
}

export const SCOPES = ['files:read', 'files:write'] as const
const REDIRECT = 'http://127.0.0.1/callback'

interface Helpers {
  parseAuthRequest(request: Request): Promise<object>
  completeAuthorization(options: object): Promise<{ redirectTo: string }>
  createClient(client: object): Promise<{ clientId: string; clientSecret?: string }>
}

interface Environment {
  readonly OAUTH_KV: object
  OAUTH_PROVIDER?: Helpers
}

interface Worker {
  fetch(request: Request, env: Environment, context: object): Promise<Response>
}

/** `cloudflare:workers` is a module of their runtime; of it the package needs the name of one class. */
async function loadProvider(): Promise<new (options: object) => Worker> {
  const url = 'data:text/javascript,export class WorkerEntrypoint {}'
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'cloudflare:workers' ? { url, shortCircuit: true } : next(specifier, context),
  })
  // A name that the type checker does not follow: the package's types are those of another runtime.
  const name = '@cloudflare/workers-oauth-provider'
  const { default: provider } = (await import(name)) as { default: new (options: object) => Worker }
  hooks.deregister()
  return provider
}

/** What the package asks of a key-value store. Nothing expires within a test. */
function memoryStore(): object {
  const values = new Map<string, string>()
  return {
    get: (key: string, options?: { type?: string }) => {
      const value = values.get(key) ?? null
      return Promise.resolve(value === null || options?.type !== 'json' ? value : JSON.parse(value))
    },
    put: (key: string, value: string) => Promise.resolve(void values.set(key, value)),
    delete: (key: string) => Promise.resolve(void values.delete(key)),
    list: ({ prefix = '' }: { prefix?: string } = {}) =>
      Promise.resolve({
        keys: [...values.keys()].filter((key) => key.startsWith(prefix)).map((name) => ({ name })),
        list_complete: true,
      }),
  }
}

export async function startWorkersProvider(): Promise<WorkersProvider> {
  const Provider = await loadProvider()
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const resource = `${origin}/api`
  const env: Environment = { OAUTH_KV: memoryStore() }
  const worker = new Provider({
    apiRoute: '/api',
    apiHandler: { fetch: () => Response.json({ files: [] }) },
    defaultHandler: { fetch: answerPeople },
    authorizeEndpoint: '/authorize',
    tokenEndpoint: '/token',
    scopesSupported: [...SCOPES],
    allowTokenExchangeGrant: true,
    resourceMetadata: { resource },
    onError: () => undefined,
  })
  const answer = async (request: Request): Promise<Response> => {
    const context = { waitUntil: () => undefined, passThroughOnException: () => undefined }
    return worker.fetch(request, env, context).catch(() => new Response(null, { status: 500 }))
  }
  server.on('request', (incoming, outgoing) => void serve(answer, origin, incoming, outgoing))
  const client = await (await fetch(`${origin}/client`)).json()
  const token = await signIn(origin, client)
  return {
    origin,
    resource,
    client,
    token,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** What the package leaves to its user: who signs in, and here also who is registered. */
async function answerPeople(request: Request, { OAUTH_PROVIDER: helpers }: Environment) {
  if (helpers === undefined) throw new Error('the package gave no helpers')
  if (new URL(request.url).pathname === '/client') {
    const tokenEndpointAuthMethod = 'client_secret_basic'
    const made = await helpers.createClient({ redirectUris: [REDIRECT], tokenEndpointAuthMethod })
    return Response.json({ client_id: made.clientId, client_secret: made.clientSecret })
  }
  const { redirectTo } = await helpers.completeAuthorization({
    request: await helpers.parseAuthRequest(request),
    userId: 'alice',
    metadata: {},
    scope: [...SCOPES],
    props: {},
  })
  return new Response(null, { status: 302, headers: { location: redirectTo } })
}

async function serve(
  answer: (request: Request) => Promise<Response>,
  origin: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/' } = incoming
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])
  const body = await text(incoming)
  const request = new Request(`${origin}${url}`, {
    method,
    headers: headers as [string, string][],
    ...(method === 'GET' || method === 'HEAD' ? {} : { body }),
  })
  const response = await answer(request)
  outgoing.writeHead(response.status, [...response.headers].flat())
  outgoing.end(Buffer.from(await response.arrayBuffer()))
}

/** RFC 6749 §4.1 with PKCE, as any client does it. */
async function signIn(origin: string, client: WorkersProvider['client']): Promise<string> {
  const verifier = randomBytes(32).toString('base64url')
  const asked = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: REDIRECT,
    scope: SCOPES.join(' '),
    state: 's',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  const sent = await fetch(`${origin}/authorize?${asked}`, { redirect: 'manual' })
  const code = new URL(sent.headers.get('location') ?? REDIRECT).searchParams.get('code')
  if (code === null) throw new Error(`no code: ${sent.status} ${await sent.text()}`)
  const { client_id, client_secret } = client
  const answer = await fetch(`${origin}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: REDIRECT,
      code_verifier: verifier,
    }),
  })
  const { access_token: token } = (await answer.json()) as { access_token?: string }
  if (token === undefined) throw new Error(`no token: ${answer.status}`)
  return token
}
