/** The parties of the profile, and the good requests that each test changes in one thing. */
import { execSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { ACCESS_TOKEN, Client, type Fault, ID_TOKEN } from './client.ts'
import { given, profile } from './given.ts'
import { type Form, type Reply, type Sent, send } from './http.ts'
import { type Claims, epoch, type Members, payloadOf, signingKey, signJwt } from './jwt.ts'
import { unmet } from './needs.ts'
import type { Agent, Jwk } from './profile.ts'
import { isExcused, keepSecret } from './verdict.ts'

export const { issuer, api, other_api: otherApi, agents } = profile
export const first = new Client(issuer, agents.first)
export const second = new Client(issuer, agents.second)
export const third = new Client(issuer, agents.third)
export const fourth = new Client(issuer, agents.fourth)
export const stranger = new Client(issuer, agents.stranger)
export const apiServer = new Client(issuer, api)
export const otherApiServer = new Client(issuer, otherApi)

export interface IdTokenShape {
  readonly claims?: Claims
  readonly header?: Claims
  /** Default: the ID token is for the first agent. */
  readonly agent?: Agent
  /** Default: the identity provider's own key. */
  readonly jwk?: Jwk
}

const { idp } = profile

/** A user's ID token, as the identity provider signs it. */
export function idToken(shape: IdTokenShape = {}): string {
  const { claims, header, agent = agents.first, jwk = idp.jwk } = shape
  const now = epoch()
  const key = signingKey(jwk)
  return signJwt(
    key,
    { alg: key.alg, kid: key.kid, typ: 'JWT', ...header },
    {
      iss: idp.issuer,
      sub: idp.subject,
      aud: agent.client_id,
      iat: now,
      exp: now + 600,
      // Two of one second are two sign-ins.
      jti: randomUUID(),
      auth_time: now - 30,
      acr: 'urn:example:acr:2',
      amr: ['pwd', 'otp'],
      ...claims,
    },
  )
}

/** The root exchange: what the first agent asks for a user. */
export function open(parameters: Form = {}, fault: Fault = {}, token = idToken()): Promise<Reply> {
  return first.exchange(token, { subject_token_type: ID_TOKEN, ...parameters }, fault)
}

/** Throws, with the answer, unless it is a success. */
export function tokenOf(reply: Reply): string {
  if (reply.status !== 200) throw new Error(`no token: ${reply.status} ${reply.text}`)
  return String(reply.json['access_token'])
}

export function claimsOf(reply: Reply): Members {
  return payloadOf(tokenOf(reply))
}

/** A new token of the first agent, for the second's endpoint. */
export async function handover(parameters: Form = {}): Promise<string> {
  return tokenOf(await open({ resource: agents.second.endpoint, ...parameters }))
}

const shared = new Map<string, Promise<string>>()

/** One token for many tests of a file: none of them may revoke it. */
export function subject(): Promise<string> {
  const known = shared.get('subject') ?? freshSubject()
  shared.set('subject', known)
  return known
}

/** A token of its own that second may exchange, by the profile's means. */
export async function freshSubject(): Promise<string> {
  const means = given.subject
  if (means === undefined) return handover()
  const token =
    means.token ??
    (means.file === undefined ? undefined : readFileSync(means.file, 'utf8').trim()) ??
    (means.command === undefined ? undefined : printedBy(means.command)) ??
    idToken({ agent: agents.second })
  keepSecret(token)
  return token
}

function printedBy(command: string): string {
  const printed = execSync(command, { encoding: 'utf8', timeout: 30_000, stdio: 'pipe' })
  return printed.trim()
}

/** What kind of token second exchanges. */
export const subjectType = urnOf(given.subject?.type ?? ACCESS_TOKEN)

function urnOf(type: string): string {
  return type.includes(':') ? type : `urn:ietf:params:oauth:token-type:${type}`
}

/** The API, by its URI or its name, whichever it has. */
export const target: Form =
  given.api?.uri === undefined && given.api?.name !== undefined
    ? { audience: api.name }
    : { resource: api.uri }
const wished: Form = given.api?.read === undefined ? {} : { scope: api.read }

/** A token on second's own behalf, for the API. */
export function alone(parameters: Form = {}, fault: Fault = {}): Promise<Reply> {
  return second.alone({ ...target, ...parameters }, fault)
}

/** The second agent's own token, of nobody else. */
export function ownToken(client: Client = second): Promise<string> {
  const name = `own ${client.id}`
  const known = shared.get(name) ?? client.alone(target).then(tokenOf)
  shared.set(name, known)
  return known
}

/** A good exchange, with `parameters` changed: the second agent asks for the API. */
export async function exchange(parameters: Form = {}, fault: Fault = {}): Promise<Reply> {
  const rest = { subject_token_type: subjectType, ...target, ...wished, ...parameters }
  const known = 'subject_token' in parameters ? '' : await subject()
  return second.exchange(known, rest, fault)
}

/** Whether the profile has all the agents of the delegation profile, who hand work to each other. */
export const isWhole = unmet(['whole']) === undefined

/** What this project asks beyond the specifications, of servers that have the whole profile alone. */
export function beyond<T>(...more: readonly T[]): readonly T[] {
  return isWhole ? more : []
}

const canExchange = unmet(['exchange']) === undefined

/** A good token request of the second agent, by a grant that it has, with `parameters` changed. */
export function request(parameters: Form = {}, fault: Fault = {}): Promise<Reply> {
  return canExchange ? exchange(parameters, fault) : alone(parameters, fault)
}

/** Whether a token can be read; an opaque one is its server's business. */
export function isReadable(token: string): boolean {
  return token.split('.').length === 3 && token.startsWith('eyJ')
}

export interface Chain {
  readonly one: string
  readonly two: string
  readonly three: string
}

/** A user, three agents, and the API in the end. */
export async function threeHops(): Promise<Chain> {
  const one = await handover()
  const two = tokenOf(await second.exchange(one, { resource: agents.third.endpoint }))
  const three = tokenOf(await third.exchange(two, { resource: api.uri, scope: api.read }))
  return { one, two, three }
}

/** RFC 6749 §5.2: the error, in its form, and no token. `what` was sent, where one test sends much. */
export function expectError(reply: Reply, error: string, status = 400, what?: string): void {
  const came = { status: reply.status, error: reply.json['error'] }
  const expected = { status, error }
  const sent = what === undefined ? {} : { what }
  if (!isExcused(expected, came)) expect({ ...sent, ...came }).toEqual({ ...sent, ...expected })
  expect(reply.headers['content-type']).toMatch(/^application\/json\b/)
  expect(reply.text).not.toContain('access_token"')
}

type ErrorCode = readonly [error: string, status: number]

/** One of these errors, where the specifications leave open which one it is. The first is this project's. */
export function expectOneOf(
  reply: Reply,
  [usual, ...others]: readonly [ErrorCode, ...ErrorCode[]],
): void {
  const came = isWhole ? undefined : others.find(([error]) => error === reply.json['error'])
  expectError(reply, ...(came ?? usual))
}

/** A call of an API with a token and the holder's proof. `fault` is the proof's. */
export async function call(
  holder: Client,
  token: string,
  { path = '/files', scheme = 'DPoP', uri = api.uri, ...rest }: CallShape = {},
): Promise<Reply> {
  const method = rest.method ?? 'GET'
  const url = `${uri}${path}`
  const ath = hashOf(token)
  const proof =
    rest.proof === undefined
      ? holder.proof({
          ...rest.fault,
          proof: { htm: method, htu: url.replace(/\?.*$/, ''), ath, ...rest.fault?.proof },
        })
      : rest.proof
  return send(url, {
    ...rest,
    method,
    headers: {
      authorization: `${scheme} ${token}`,
      ...(proof === null ? {} : { dpop: proof }),
      ...rest.headers,
    },
  })
}

export interface CallShape extends Sent {
  readonly path?: string
  readonly scheme?: string
  readonly uri?: string
  readonly fault?: Fault
  /** Instead of a proof made here; null for none. */
  readonly proof?: string | readonly string[] | null
}

/** RFC 9449 §4.2: `ath`. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

export const newId = (): string => randomUUID()
