/** What resource servers are shown: the tokens at the end of three hops, and others with one thing wrong. */
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import {
  epoch,
  headerOf,
  newKey,
  payloadOf,
  type SigningKey,
  signingKey,
  signJwt,
  tampered,
  unsigned,
} from '../../suite/jwt.ts'
import { EXCHANGE, hopsOf, idToken, target } from '../given.ts'
import type { Agent, Api, TeamName } from '../target.ts'

export interface Held {
  readonly token: string
  /** A DPoP proof of its holder for one request (RFC 9449 §7). */
  readonly proof: (method: string, url: string) => string
  /** By its holder (RFC 7009). */
  readonly revoke: () => Promise<void>
}

interface Reach {
  /** How many of the three hops. Default: all, to the API. */
  readonly hops?: number
  /** When the whole task ends, in seconds from now. */
  readonly lifetime?: number
}

/** Walks a chain as any OAuth client would; throws where an exchange is refused. */
export async function walk(
  team: TeamName,
  api: Api,
  { hops = 3, lifetime = 600 }: Reach = {},
): Promise<Held> {
  let token = idToken(team, lifetime)
  let holder: Agent = target.teams[team].planner
  let key = newKey()
  for (const { agent, parameters } of hopsOf(team, api).slice(0, hops)) {
    key = newKey()
    const form = { grant_type: EXCHANGE, subject_token: token, ...parameters }
    const dpop = proofBy(key, { htm: 'POST', htu: `${target.issuer}/token` })
    const { access_token } = await post(agent, 'token', form, team === 'bound' ? { dpop } : {})
    token = String(access_token)
    holder = agent
  }
  return {
    token,
    proof: (htm, htu) => {
      const ath = createHash('sha256').update(token).digest('base64url')
      return proofBy(key, { htm, htu, ath })
    },
    revoke: async () => {
      await post(holder, 'revoke', { token })
    },
  }
}

async function post(
  agent: Agent,
  endpoint: string,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const proven = agent.secret === undefined ? assertionOf(agent) : {}
  const secret = agent.secret === undefined ? {} : basicOf(agent.client_id, agent.secret)
  const reply = await fetch(`${target.issuer}/${endpoint}`, {
    method: 'POST',
    headers: { ...headers, ...secret },
    body: new URLSearchParams({ ...form, ...proven }),
  })
  const text = await reply.text()
  if (!reply.ok) throw new Error(`${endpoint} answered ${reply.status}: ${text}`)
  return text === '' ? {} : JSON.parse(text)
}

/** RFC 7523 §2.2. */
function assertionOf({ client_id, jwk = {} }: Agent): Record<string, string> {
  const key = signingKey(jwk)
  const now = epoch()
  const claims = {
    iss: client_id,
    sub: client_id,
    aud: target.issuer,
    jti: randomUUID(),
    iat: now,
    exp: now + 60,
  }
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: signJwt(key, { alg: key.alg, kid: key.kid, typ: 'JWT' }, claims),
  }
}

/** RFC 6749 §2.3.1; nothing in either has to be encoded. */
function basicOf(id: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
}

function proofBy(key: SigningKey, claims: Readonly<Record<string, string>>): string {
  const header = { alg: key.alg, typ: 'dpop+jwt', jwk: key.publicJwk }
  return signJwt(key, header, { jti: randomUUID(), iat: epoch(), ...claims })
}

/** Everything an API of bearer tokens is tried with, by what it is. */
export interface Trial {
  readonly good: Held
  /** Each has one thing wrong. */
  readonly bad: Readonly<Record<BadToken, string>>
  /** Bound to a key; a server that cannot check the proof has to refuse it. */
  readonly bound: Held
  /** Good until it is revoked. */
  readonly doomed: Held
  /** Expires within seconds. */
  readonly brief: Held
}

export const BAD_TOKENS = [
  'for another audience',
  'of another issuer',
  'by another key',
  'tampered',
  'unsigned',
] as const
export type BadToken = (typeof BAD_TOKENS)[number]

export async function tokensFor(api: Api): Promise<Trial> {
  const [good, elsewhere, bound, doomed] = await Promise.all([
    walk('signed', api),
    walk('signed', target.apis.ledger),
    walk('bound', api),
    walk('signed', api),
  ])
  // Alone, when everything has been done once: its three exchanges have to be done in its time. A machine that stalls gets more.
  const brief = await walk('signed', api, { lifetime: 4 }).catch(() =>
    walk('signed', api, { lifetime: 16 }),
  )
  const header = headerOf(good.token)
  const claims = payloadOf(good.token)
  const idp = signingKey(target.idp.jwk)
  const bad = {
    'for another audience': elsewhere.token,
    'of another issuer': signJwt(
      idp,
      { ...header, kid: idp.kid },
      { ...claims, iss: target.idp.issuer },
    ),
    'by another key': signJwt(newKey(), header, claims),
    tampered: tampered(good.token),
    unsigned: unsigned(good.token),
  }
  return { good, bad, bound, doomed, brief }
}

/** Resolves when the token has expired, to the second that its reader counts in. */
export async function untilExpired({ token }: Held): Promise<void> {
  // Some take `exp` for its last good second.
  const end = (Number(payloadOf(token)['exp']) + 1) * 1000
  await pause(Math.max(0, end - Date.now()))
}
