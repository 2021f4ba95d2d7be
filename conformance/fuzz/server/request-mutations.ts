/** Requests to every endpoint there is, each good but for what is done to it: to its form, its JWTs, its headers, its bytes. */
import { payloadOf, signJwt } from '../../suite/jwt.ts'
import type { Random } from '../random.ts'
import { mutateClaims } from '../tokens/claim-mutations.ts'
import { mutateCompact } from '../tokens/compact-mutations.ts'
import { mutateJson } from '../tokens/json-mutations.ts'
import { METHODS } from './odd-words.ts'
import { ACCESS_TOKEN, EXCHANGE, FuzzClient, formOf, ID_TOKEN, idTokenFor } from './party.ts'
import { type Draft, SPOILERS } from './request-spoilers.ts'
import type { Target } from './target.ts'
import type { Sent } from './wire.ts'

export interface RequestInput extends Sent {
  readonly by: string
  readonly pace: 'at once' | 'slowly'
  /** Sent as bytes of their own, over a connection of their own. */
  readonly raw: boolean
  /** What no answer may repeat. */
  readonly secrets: readonly string[]
}

const PATHS = [
  '/token',
  '/introspect',
  '/revoke',
  '/jwks',
  '/status',
  '/status/x',
  '/events',
  '/tasks',
  '/tasks/x',
  '/tasks/x/close',
  '/tasks/x/revoke',
  '/audit',
  '/audit/x',
  '/checkpoint',
  '/records',
  '/manage',
  '/ssf/streams',
  '/agents/planner',
  '/.well-known/openid-configuration',
  '/auth',
  '/userinfo',
  '/session/end',
  '/registration',
  '/',
  '',
  '//',
  '/%2e%2e/',
  '/token/',
  '/TOKEN',
  '/token%00',
  '/..;/token',
]
const ROOT_PATHS = [
  '/',
  '/admin/v1/tenants',
  '/admin/v1/token',
  '/admin/v1/tenants/acme/versions',
  '/admin/v1/openapi.json',
  '/t',
  '/t/',
  '/t/none/token',
  '/t/%2e%2e/token',
  '/t/__proto__/token',
  '/t/constructor/token',
  '/livez',
  '/metrics',
  '/.well-known/oauth-authorization-server',
  '/.well-known/x',
  '/favicon.ico',
]

/** Makes the requests of one run. */
export class Requests {
  readonly #target: Target
  readonly #clients: readonly FuzzClient[]
  /** Tokens the server issued, the newest last. */
  readonly #held: string[] = []

  constructor(target: Target) {
    this.#target = target
    const { first, second, third } = target.agents
    this.#clients = [first, second, third].map((party) => new FuzzClient(target.issuer, party))
  }

  /** A token from an answer: later requests have something to work on. */
  hold(token: string): void {
    this.#held.push(token)
    if (this.#held.length > 32) this.#held.shift()
  }

  #holderOf(token: string): FuzzClient | undefined {
    const id = token.includes('.') ? payloadOf(token)['client_id'] : undefined
    return this.#clients.find((client) => client.id === id)
  }

  make(random: Random): RequestInput {
    const draft = random.chance(0.18) ? this.#path(random) : this.#form(random)
    const secrets = [...draft.parameters, ...draft.headers]
      .map(([, value]) => value)
      .filter(isSecret)
    if (!random.chance(0.04)) this.#spoil(draft, random)
    const body =
      draft.body ??
      (draft.method === 'GET' || draft.method === 'HEAD' ? undefined : formOf(draft.parameters))
    const { method, url, headers, pace, raw, names } = draft
    return { method, url, headers, body, pace, raw, secrets, by: names.join('+') || 'good' }
  }

  #form(random: Random): Draft {
    const { issuer, api, agents } = this.#target
    const isRoot = random.chance(0.5) || this.#held.length === 0
    // Only the first opens tasks.
    const client = isRoot ? this.#clients[0] : random.pick(this.#clients)
    if (client === undefined) throw new Error('there is no client')
    const held = this.#held.length === 0 ? 'x' : random.pick(this.#held)
    const endpoint = random.pick(['token', 'token', 'token', 'token', 'introspect', 'revoke'])
    const url = `${issuer}/${endpoint}`
    const parameters: [string, string][] = client
      .credentials()
      .map(([name, value]) => [name, value])
    const proof = this.#jwt(client, 'proof', url, random)
    const names: string[] = []
    if (endpoint !== 'token') parameters.push(['token', held])
    else if (random.chance(0.25))
      parameters.push(
        ['grant_type', 'client_credentials'],
        ['resource', random.pick([api.uri, `${issuer}/manage`])],
      )
    else {
      parameters.push(
        ['grant_type', EXCHANGE],
        ['subject_token', isRoot ? idTokenFor(this.#target, client.id) : held],
        ['subject_token_type', isRoot ? ID_TOKEN : ACCESS_TOKEN],
        ['resource', random.pick([agents.second.endpoint, agents.third.endpoint, api.uri])],
        ['scope', random.pick([api.read, `${api.read} ${api.write}`])],
      )
    }
    if (random.chance(0.3)) {
      const at = parameters.findIndex(([name]) => name === 'client_assertion')
      parameters[at] = ['client_assertion', this.#jwt(client, 'assertion', url, random)]
      names.push('assertion')
    }
    return {
      method: 'POST',
      url,
      parameters,
      names,
      body: undefined,
      pace: 'at once',
      raw: false,
      headers: [
        ['content-type', 'application/x-www-form-urlencoded'],
        ['dpop', proof],
      ],
    }
  }

  /** A proof or an assertion, a third of them wrong beneath the client's own signature. */
  #jwt(client: FuzzClient, kind: 'proof' | 'assertion', url: string, random: Random): string {
    const { header, claims } =
      kind === 'proof' ? client.proofParts('POST', url) : client.assertionParts()
    const key = kind === 'proof' ? client.proofKey : client.key
    const good = signJwt(key, header, claims)
    if (random.chance(0.67)) return good
    const choice = random.below(4)
    if (choice === 0) return mutateCompact(good, good, random).token
    if (choice === 1) return signJwt(key, header, mutateJson(JSON.stringify(claims), random).raw)
    if (choice === 2)
      return signJwt(key, mutateClaims(JSON.stringify(header), random).claims, claims)
    return signJwt(key, header, mutateClaims(JSON.stringify(claims), random).claims)
  }

  #path(random: Random): Draft {
    const { issuer } = this.#target
    const { origin } = new URL(issuer)
    const path = random.chance(0.75)
      ? issuer + random.pick(PATHS)
      : origin + random.pick(ROOT_PATHS)
    const held = this.#held.length === 0 ? 'x' : random.pick(this.#held)
    const client = this.#holderOf(held) ?? random.pick(this.#clients)
    const method = random.pick(METHODS)
    const authorized: [string, string][] = [
      ['authorization', `DPoP ${held}`],
      ['dpop', client.proof(method, path, held)],
    ]
    return {
      method,
      url: path,
      parameters: [['x', '1']],
      names: ['path'],
      body: undefined,
      pace: 'at once',
      raw: false,
      headers: random.chance(0.5)
        ? authorized
        : [['accept', random.pick(['*/*', 'text/html', 'text/event-stream;q=0', ''])]],
    }
  }

  #spoil(draft: Draft, random: Random): void {
    for (let left = random.pick([1, 1, 1, 2]); left > 0; left--) {
      const { name, change } = random.pickWeighted(SPOILERS)
      change(draft, random)
      draft.names.push(name)
    }
  }
}

function isSecret(value: string): boolean {
  return value.length > 60 && /^(DPoP )?ey/.test(value)
}
