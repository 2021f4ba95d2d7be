/** The target of this run, the three requests of a chain, and what the last token must say. */
import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { epoch, payloadOf, signingKey, signJwt } from '../suite/jwt.ts'
import { type Agent, type Api, ROLES, readTarget, type TeamName } from './target.ts'

export const target = readTarget()
export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:'
export const ACCESS_TOKEN = `${TOKEN_TYPE}access_token`
export const ID_TOKEN = `${TOKEN_TYPE}id_token`
/** What the ledger answers at. */
export const ENTRIES = `${target.apis.ledger.uri}/entries`
/** A user's ID token, as the identity provider signs it for the planner of a team. */
export function idToken(team: TeamName, lifetime = 600): string {
  const { issuer, subject, jwk } = target.idp
  const key = signingKey(jwk)
  const now = epoch()
  return signJwt(
    key,
    { alg: key.alg, kid: key.kid, typ: 'JWT' },
    {
      iss: issuer,
      sub: subject,
      aud: target.teams[team].planner.client_id,
      iat: now,
      exp: now + lifetime,
      jti: randomUUID(),
    },
  )
}

/** One exchange: who asks, and with what beside the subject token. */
export interface Hop {
  readonly agent: Agent
  readonly parameters: Readonly<Record<'subject_token_type' | 'resource' | 'scope', string>>
}

/** The user's planner, its researcher, their writer: each asks for less than it might, the last one for the API. */
export function hopsOf(team: TeamName, { uri, read, write }: Api): readonly [Hop, Hop, Hop] {
  const { planner, researcher, writer } = target.teams[team]
  const hop = (agent: Agent, subject_token_type: string, resource: string, scope: string): Hop => ({
    agent,
    parameters: { subject_token_type, resource, scope },
  })
  return [
    hop(planner, ID_TOKEN, researcher.endpoint, `${read} ${write}`),
    hop(researcher, ACCESS_TOKEN, writer.endpoint, read),
    hop(writer, ACCESS_TOKEN, uri, read),
  ]
}

/** The tokens of the three hops, as our own reading of them says: one user, three actors, scopes that only narrowed. */
export function expectChain(tokens: readonly string[], team: TeamName, api: Api): void {
  const claims = tokens.map(payloadOf)
  const [planner, researcher, writer] = ROLES.map((role) => target.teams[team][role].client_id)
  const { researcher: second, writer: third } = target.teams[team]
  expect(claims.map(({ sub, client_id, aud, scope }) => ({ sub, client_id, aud, scope }))).toEqual(
    [
      { client_id: planner, aud: second.endpoint, scope: `${api.read} ${api.write}` },
      { client_id: researcher, aud: third.endpoint, scope: api.read },
      { client_id: writer, aud: api.uri, scope: api.read },
    ].map((expected) => ({ sub: target.idp.subject, ...expected })),
  )
  const actor = (sub: string | undefined) => ({
    sub,
    iss: target.issuer,
    sub_profile: 'ai_agent',
  })
  expect(claims.at(-1)?.['act']).toEqual({
    ...actor(writer),
    act: { ...actor(researcher), act: actor(planner) },
  })
  expect(new Set(claims.map(({ txn }) => txn)).size).toBe(1)
  const isBound = team === 'bound' || team === 'served'
  expect(claims.map(({ cnf }) => typeof cnf?.jkt)).toEqual(
    claims.map(() => (isBound ? 'string' : 'undefined')),
  )
}

/** What the API answers to who showed it the last token of a chain. */
export function entriesFor(team: TeamName): object {
  const [planner, researcher, writer] = ROLES.map((role) => target.teams[team][role].client_id)
  return { for: target.idp.subject, by: writer, through: [writer, researcher, planner] }
}
