/** The APIs of a running server, as the operator. Every refusal they give becomes one plain sentence. */
import { join } from 'node:path'
import type { Command } from 'commander'
import { formatProblem } from '../core/problem.ts'
import { answerOf, type JsonAnswer, problemSentence, problemsOf } from './admin-answer.ts'
import { type AdminToken, signInOperator } from './admin-token.ts'
import { Failure } from './failure.ts'
import { print } from './print.ts'
import { commandConfigOrFail } from './settings-or-fail.ts'

export interface AdminRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Segments below the one the client is for. */
  readonly path: readonly string[]
  /** Sent as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  /** Statuses the caller has an answer to; any other is a failure. */
  readonly expected: readonly number[]
}

export interface AdminClient {
  /** Origin of the server. */
  readonly server: string
  request(asked: AdminRequest): Promise<JsonAnswer>
}

export interface Connection {
  readonly server?: string
  readonly operatorKey?: string
  readonly data?: string
}

/** The options every command has that talks to a server. */
export function addConnection(command: Command): Command {
  return command
    .option('--server <url>', 'origin of the server (default: ACTCHAIN_PUBLIC_URL)')
    .option('--operator-key <file>', "operator's private key (default: operator.jwk in --data)")
    .option('--data <folder>', 'data folder of the server')
}

/** Signs in for `/admin/v1/tenants`. Throws a `Failure` that says what to do. */
export async function connect(connection: Connection): Promise<AdminClient> {
  const { server, admin, keyFile } = readConnection(connection)
  const token = await signInOperator(admin, keyFile)
  return { server, request: requester(token, `${admin}/tenants`) }
}

/** Signs in for the tasks of a tenant. Throws a `Failure` that says what to do. */
export async function connectTasks(connection: Connection, tenant: string): Promise<AdminClient> {
  const { server, admin, keyFile } = readConnection(connection)
  const issuer = `${server}/t/${encodeURIComponent(tenant)}`
  const unknown = unknownTenant({ server }, tenant)
  const token = await signInOperator(admin, keyFile, { uri: `${issuer}/manage`, unknown })
  return { server, request: requester(token, `${issuer}/tasks`) }
}

/** What is said where the server does not know the tenant. */
export function unknownTenant({ server }: Pick<AdminClient, 'server'>, tenant: string): Failure {
  return new Failure(`${server} has no tenant ${tenant}; actchain apply makes one.`)
}

function readConnection({ server, operatorKey, data }: Connection) {
  if (server !== undefined) checkServer(server)
  const { publicUrl, dataFolder } = commandConfigOrFail({ publicUrl: server, data })
  return {
    server: publicUrl,
    admin: `${publicUrl}/admin/v1`,
    keyFile: operatorKey ?? join(dataFolder, 'operator.jwk'),
  }
}

/** What is sent authorizes changes: it goes to the one stated place, encrypted or never off this machine. */
export function checkServer(server: string): void {
  const url = URL.parse(server)
  const isLoopback = ['127.0.0.1', '[::1]', 'localhost'].includes(url?.hostname ?? '')
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback)
  if (url?.origin === server && isSafe) return
  throw new Failure(
    '--server must be an https origin, such as https://as.example.com; plain http is for loopback alone.',
    2,
  )
}

/** Requests with this token, to paths below `base`. */
export function requester(token: AdminToken, base: string): AdminClient['request'] {
  return (asked) => send(token, base, asked)
}

async function send(
  { token, proof }: AdminToken,
  base: string,
  { method, path, query, body, headers, expected }: AdminRequest,
): Promise<JsonAnswer> {
  const url = [base, ...path.map(encodeURIComponent)].join('/')
  const search = query === undefined ? '' : `?${new URLSearchParams(query)}`
  const answer = await answerOf(`${url}${search}`, {
    method,
    headers: {
      ...headers,
      authorization: `DPoP ${token}`,
      dpop: proof(method, url),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  if (expected.includes(answer.status)) return answer
  for (const problem of problemsOf(answer)) print(formatProblem(problem))
  throw new Failure(`The server refused: ${problemSentence(answer)}`)
}
