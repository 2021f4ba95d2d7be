/**
 * Everywhere a request can carry a JWT, as one table: what an honest one looks like, who signs it, how it is sent, and the
 * reason a bad one is refused with.
 */
import { randomUUID } from 'node:crypto'
import type { Reason } from '../../server/core/refusal.ts'
import { ACCESS_TOKEN, type Answer, ASSERTION_TYPE } from '../support/agent-client.ts'
import { bareJwk, encode, epoch, newKey, payloadOf, signJwt } from '../support/signing.ts'
import { type Claims, PLATFORM, type Stage, signerAt, TRUST_DOMAIN } from './fixture.ts'

export const OWN_WORK = { grant_type: 'client_credentials' } as const

export interface Position {
  readonly reason: Reason
  /** Fresh members of an honest one. */
  readonly make: (stage: Stage) => Promise<Honest>
}

export interface Honest {
  readonly header: Readonly<Record<string, unknown>>
  readonly payload: Claims
  /** The key an honest one is verified with. */
  readonly publicJwk: Readonly<Record<string, unknown>>
  /** By the key that is believed here. `header` and `payload` may be raw JSON text. */
  readonly sign: (header: unknown, payload: unknown) => Promise<string> | string
  readonly send: (text: string) => Promise<Answer>
}

export const POSITIONS = {
  'a subject token of ours': {
    reason: 'subject_token_unacceptable',
    make: async (stage) => ({
      ...ownToken(stage, payloadOf((await kept(stage)).first)),
      send: (text) => stage.researcher.exchange(text),
    }),
  },
  'a user token': {
    reason: 'subject_token_unacceptable',
    make: (stage) => {
      const { server, planner } = stage
      return Promise.resolve({
        header: { alg: 'ES256', kid: 'idp-1', typ: 'JWT' },
        payload: payloadOf(server.idToken()),
        publicJwk: server.idpKey.publicJwk,
        sign: (header, payload) => signJwt(server.idpKey, header, payload),
        send: (text) => planner.open(text),
      })
    },
  },
  'an actor token': {
    reason: 'actor_token_unacceptable',
    make: async (stage) => {
      const { coder } = stage
      const { second, own } = await kept(stage)
      return {
        ...ownToken(stage, payloadOf(own)),
        send: (text) =>
          coder.exchange(second, { actor_token: text, actor_token_type: ACCESS_TOKEN }),
      }
    },
  },
  'a client assertion': {
    reason: 'client_authentication_failed',
    make: ({ planner }) =>
      Promise.resolve({
        header: {
          alg: 'ES256',
          typ: 'client-authentication+jwt',
          kid: planner.key.publicJwk['kid'],
        },
        payload: payloadOf(planner.assertion()),
        publicJwk: planner.key.publicJwk,
        sign: (header, payload) => signJwt(planner.key, header, payload),
        send: (text) => planner.token({ ...OWN_WORK, client_assertion: text }),
      }),
  },
  'a JWT-SVID': {
    reason: 'client_authentication_failed',
    make: ({ server, bundleKey }) => {
      const payload = {
        sub: `spiffe://${TRUST_DOMAIN}/agents/courier`,
        aud: [server.issuer()],
        iat: epoch(),
        exp: inAMinute(),
      }
      return Promise.resolve({
        header: { alg: 'ES256', typ: 'JWT', kid: 'bundle-1' },
        payload,
        publicJwk: bundleKey.publicJwk,
        sign: (header, body) => signJwt(bundleKey, header, body),
        send: (text) =>
          server.client('courier').token({
            ...OWN_WORK,
            client_assertion_type: ASSERTION_TYPE.replace('jwt-bearer', 'jwt-spiffe'),
            client_assertion: text,
          }),
      })
    },
  },
  'a token of a platform': {
    reason: 'client_authentication_failed',
    make: ({ server, platformKey }) => {
      const issuer = server.issuer()
      const times = { iat: epoch(), exp: inAMinute() }
      return Promise.resolve({
        header: { alg: 'ES256', typ: 'JWT', kid: 'platform-1' },
        payload: { iss: PLATFORM, sub: 'builder-0', aud: issuer, jti: randomUUID(), ...times },
        publicJwk: platformKey.publicJwk,
        sign: (header, body) => signJwt(platformKey, header, body),
        send: (text) =>
          server
            .client('builder')
            .token({ ...OWN_WORK, client_id: 'builder', client_assertion: text }),
      })
    },
  },
  'a proof': {
    reason: 'proof_invalid',
    make: ({ planner }) =>
      Promise.resolve({
        header: { alg: 'ES256', typ: 'dpop+jwt', jwk: bareJwk(planner.proofKey) },
        payload: payloadOf(planner.proof()),
        publicJwk: bareJwk(planner.proofKey),
        sign: (header, payload) => signJwt(planner.proofKey, header, payload),
        send: (text) => planner.token(OWN_WORK, { headers: { dpop: text } }),
      }),
  },
} as const satisfies Record<string, Position>

export type PositionName = keyof typeof POSITIONS
export const POSITION_NAMES = Object.keys(POSITIONS) as PositionName[]

/** A table line for each attack in each position but the `except`ed ones. */
export function everywhere<Attack extends readonly [string, ...unknown[]]>(
  attacks: readonly Attack[],
  except: readonly PositionName[] = [],
): [PositionName, string, Attack][] {
  return POSITION_NAMES.filter((name) => !except.includes(name)).flatMap((name) =>
    attacks.map((attack): [PositionName, string, Attack] => [name, attack[0], attack]),
  )
}

/** Header and payload as they are signed, without a signature. */
export function signingInput(header: unknown, payload: unknown): string {
  return `${encode(header)}.${encode(payload)}`
}

/** By a key nobody believes. */
export function signAsStranger(header: unknown, payload: unknown): string {
  return signJwt(newKey(), header, payload)
}

/** `{"a":1}` and `"b":2` make `{"a":1,"b":2}`: members JSON.stringify would never write. */
export function withRawMembers(value: unknown, members: string): string {
  return `${JSON.stringify(value).slice(0, -1)},${members}}`
}

export const inAMinute = (): number => epoch() + 60

interface Kept {
  readonly first: string
  readonly second: string
  /** coder's own. */
  readonly own: string
}

const keptTokens = new WeakMap<Stage, Promise<Kept>>()

/** Minted once a stage: nothing here spends them, and each mint is a durable write. */
function kept(stage: Stage): Promise<Kept> {
  const mint = async (): Promise<Kept> => ({
    first: await stage.first(),
    second: await stage.second(),
    own: await stage.own(stage.coder),
  })
  const tokens = keptTokens.get(stage) ?? mint()
  keptTokens.set(stage, tokens)
  return tokens
}

function ownToken(stage: Stage, payload: Claims): Omit<Honest, 'send'> {
  return {
    header: stage.tokenHeader(),
    payload,
    publicJwk: signerAt(stage.server, 'acme').publicJwk,
    sign: (head, body) => stage.signAsTenant(head, body),
  }
}
