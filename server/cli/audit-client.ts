/**
 * The log of a tenant at a running server, as one of its people: by an ID token of their identity provider (RFC 8693), or in
 * development as a sample user. The management token is bound to a key made for this one command, and never printed or kept.
 */
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { answerOf, type JsonAnswer, problemSentence } from './admin-answer.ts'
import { type AdminClient, checkServer, requester, unknownTenant } from './admin-client.ts'
import { type AdminToken, createProver, readToken } from './admin-token.ts'
import { Failure } from './failure.ts'
import { commandConfigOrFail, developmentConfigOrFail } from './settings-or-fail.ts'
import { signIn } from './sign-in.ts'
import { findTenantFolders } from './tenant-folders.ts'

export interface PersonConnection {
  readonly tenant?: string
  readonly server?: string
  readonly idToken?: string
  readonly as?: string
  readonly idp?: string
}

export interface AuditClient extends AdminClient {
  readonly tenant: string
  /** An answer that is no JSON, as it comes. Any status but 200 is a failure. */
  read(path: readonly string[], query?: Readonly<Record<string, string>>): Promise<Response>
}

/** The sample people, each for what they may (tenants/acme). */
export const SAMPLE = { reviewer: 'dave', admin: 'carol' } as const
/** Client that people sign in with, at the sample tenants. */
const SAMPLE_CLIENT = 'actchain-console'
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'

/** The options of every command that reads the log. */
export function addPerson(command: Command): Command {
  return command
    .option('--tenant <id>', 'whose log it is (default: the only tenant there is)')
    .option('--server <url>', 'origin of the server (default: ACTCHAIN_PUBLIC_URL)')
    .option('--id-token <file>', 'your ID token for the management client; - reads it from stdin')
    .option('--as <user>', 'in development: sign in as this sample user')
    .option('--idp <url>', 'in development: issuer of the identity provider')
}

/** Signs in. Throws a `Failure` that says what to do. */
export async function connectAudit(
  connection: PersonConnection,
  user: string = SAMPLE.reviewer,
): Promise<AuditClient> {
  const { server: given } = connection
  if (given !== undefined) checkServer(given)
  const { publicUrl: server, tenantsFolder } = commandConfigOrFail({ publicUrl: given })
  const tenant = connection.tenant ?? onlyTenant(tenantsFolder)
  const issuer = `${server}/t/${encodeURIComponent(tenant)}`
  const token = await signInPerson(await idTokenOf(connection, user), { server, tenant, issuer })
  const base = `${issuer}/audit`
  return {
    server,
    tenant,
    request: requester(token, base),
    read: (path, query) => read(token, [base, ...path].join('/'), query),
  }
}

function onlyTenant(folder: string): string {
  const [first, ...more] = findTenantFolders(folder)
  if (first !== undefined && more.length === 0) return first.id
  throw new Failure(`${folder} has several tenants; name one with --tenant.`, 2)
}

async function idTokenOf({ idToken, as, idp }: PersonConnection, user: string): Promise<string> {
  if (idToken === '-') return (await text(process.stdin)).trim()
  if (idToken !== undefined) return readOrFail(idToken)
  const { devIdp = '' } = developmentConfigOrFail({})
  const from = { idp: idp ?? devIdp, user: as ?? user, client: SAMPLE_CLIENT }
  return (await signIn(from)).id_token
}

function readOrFail(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    throw new Failure(`${file} cannot be read; name a file with an ID token in --id-token.`)
  }
}

interface Place {
  readonly server: string
  readonly tenant: string
  readonly issuer: string
}

async function signInPerson(
  idToken: string,
  { server, tenant, issuer }: Place,
): Promise<AdminToken> {
  const prove = createProver()
  const url = `${server}/admin/v1/tenants/${encodeURIComponent(tenant)}/token`
  const body = new URLSearchParams({
    grant_type: TOKEN_EXCHANGE,
    subject_token: idToken,
    subject_token_type: ID_TOKEN,
    resource: `${issuer}/manage`,
  })
  const headers = { dpop: prove('POST', url) }
  const answer = await answerOf(url, { method: 'POST', body, headers })
  if (answer.status === 404) throw unknownTenant({ server }, tenant)
  const token = readToken(answer)
  if (token === undefined) throw notLetIn(answer)
  return { token, proof: (method, target) => prove(method, target, token) }
}

function notLetIn(answer: JsonAnswer): Failure {
  return new Failure(`The server did not let you in. ${problemSentence(answer)}`)
}

/** Milliseconds until the first octet of an answer; what follows comes as fast as it is taken. */
const PATIENCE_MS = 30_000

async function read(
  { token, proof }: AdminToken,
  url: string,
  query: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const patience = new AbortController()
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS)
  const response = await fetch(`${url}?${new URLSearchParams(query)}`, {
    redirect: 'error',
    signal: patience.signal,
    headers: { authorization: `DPoP ${token}`, dpop: proof('GET', url) },
  }).catch(() => {
    throw new Failure(`No server answers at ${new URL(url).origin}; start it, or name another.`)
  })
  clearTimeout(timer)
  if (response.status === 200) return response
  const body = (await response.json().catch(() => undefined)) as JsonAnswer['body']
  const said = problemSentence({ status: response.status, body, etag: undefined })
  throw new Failure(`The server refused: ${said}`)
}
