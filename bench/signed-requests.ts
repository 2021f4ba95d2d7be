/**
 * Exchanges as agents of the bench's tenant send them: client assertion and proof signed here, in the bench's own
 * process, so that no server's CPU time pays for them.
 */
import {
  ACCESS_TOKEN,
  AgentClient,
  ASSERTION_TYPE,
  EXCHANGE,
  ID_TOKEN,
} from '../test/support/agent-client.ts'
import { epoch, signJwt } from '../test/support/signing.ts'
import type { PreparedRequest } from './load.ts'
import { AGENTS, BENCH_IDP, BENCH_ISSUER, endpointOf, type TenantKeys } from './tenant.ts'

export type Form = Readonly<Record<string, string>>

/** The deepest chain a token of the format may have. */
export const MOST_AGENTS = 8

export class Signer {
  readonly #keys: TenantKeys
  readonly #clients = new Map<string, AgentClient>()

  constructor(keys: TenantKeys) {
    this.#keys = keys
    for (const [id, key] of keys.agents) {
      this.#clients.set(id, new AgentClient(BENCH_ISSUER, id, key))
    }
  }

  /** A request to the token endpoint; each call makes a fresh assertion and a fresh proof. */
  prepare(agent: string, form: Form): PreparedRequest {
    const client = this.#clients.get(agent)
    if (client === undefined) throw new TypeError(`there is no agent ${agent}`)
    const body = new URLSearchParams({
      grant_type: EXCHANGE,
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: client.assertion(),
      ...form,
    })
    return {
      path: new URL(`${BENCH_ISSUER}/token`).pathname,
      body: body.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', dpop: client.proof() },
    }
  }

  idToken(): string {
    const now = epoch()
    const claims = { iss: BENCH_IDP, sub: 'alice', aud: 'a1', iat: now, exp: now + 3600 }
    const authentication = { auth_time: now - 30, acr: 'urn:example:mfa', amr: ['pwd'] }
    const header = { alg: 'ES256', kid: 'idp-1', typ: 'JWT' }
    return signJwt(this.#keys.idp, header, { ...claims, ...authentication })
  }
}

/** The agent that is number `depth` in the chain. */
export function agentAt(depth: number): string {
  const agent = AGENTS[depth - 1]
  if (agent === undefined) throw new RangeError(`no chain is ${depth} agents deep`)
  return agent
}

/** The form of the exchange that makes a token of `depth` agents out of `subject`: root exchange at depth 1. */
export function exchangeForm(depth: number, subject: string, target?: string): Form {
  return {
    subject_token: subject,
    subject_token_type: depth === 1 ? ID_TOKEN : ACCESS_TOKEN,
    audience: target ?? endpointOf(agentAt(depth + 1)),
    scope: 'ledger:read ledger:propose',
  }
}
