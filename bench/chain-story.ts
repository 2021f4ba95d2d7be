/**
 * Work that is under way, and how it is ended: a1 opens a task for alice, a2 to a4 are handed it on, and a4 holds a token
 * for the ledger. All over HTTP, at the server itself.
 */
import {
  ACCESS_TOKEN,
  AgentClient,
  ASSERTION_TYPE,
  EXCHANGE,
  ID_TOKEN,
} from '../test/support/agent-client.ts'
import { epoch, payloadOf, signJwt } from '../test/support/signing.ts'
import type { Driver } from './load.ts'
import { accessToken } from './measured-server.ts'
import { API, BENCH_IDP, BENCH_ISSUER, endpointOf, type TenantKeys } from './tenant.ts'

const CHAIN = ['a1', 'a2', 'a3', 'a4'] as const

export interface Story {
  readonly txn: string
  /** a1's token, which all others were made from. */
  readonly first: string
  /** a4's, three hops further down. */
  readonly last: string
}

export class Stories {
  readonly #driver: Driver
  readonly #keys: TenantKeys
  readonly #clients: ReadonlyMap<string, AgentClient>
  #users = 0

  constructor(driver: Driver, keys: TenantKeys) {
    this.#driver = driver
    this.#keys = keys
    this.#clients = new Map(
      [...keys.agents].map(([id, key]) => [id, new AgentClient(BENCH_ISSUER, id, key)]),
    )
  }

  async open(): Promise<Story> {
    let token = this.#idToken()
    let first: string | undefined
    for (const [at, agent] of CHAIN.entries()) {
      const next = CHAIN[at + 1]
      token = accessToken(
        await this.#post('token', agent, {
          grant_type: EXCHANGE,
          subject_token: token,
          subject_token_type: at === 0 ? ID_TOKEN : ACCESS_TOKEN,
          audience: next === undefined ? API : endpointOf(next),
          scope: 'ledger:read ledger:propose',
        }),
      )
      first ??= token
    }
    return { txn: String(payloadOf(token)['txn']), first: first ?? '', last: token }
  }

  /** RFC 7009, by its holder. Resolves when it is acknowledged. */
  async revokeFirst({ first }: Story): Promise<void> {
    const { status, text } = await this.#post('revoke', 'a1', { token: first })
    if (status !== 200) throw new Error(`not revoked: ${status} ${text.slice(0, 300)}`)
  }

  #post(endpoint: string, agent: string, form: Readonly<Record<string, string>>) {
    const client = this.#clients.get(agent)
    if (client === undefined) throw new TypeError(`there is no agent ${agent}`)
    const assertion = client.assertion()
    const credentials = { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion }
    return this.#driver.send({
      path: new URL(`${BENCH_ISSUER}/${endpoint}`).pathname,
      body: new URLSearchParams({ ...credentials, ...form }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
  }

  /** Another user each time: a token of a revoked task is spent. */
  #idToken(): string {
    this.#users += 1
    const now = epoch()
    const claims = { iss: BENCH_IDP, sub: `user-${this.#users}`, aud: 'a1' }
    const header = { alg: 'ES256', kid: 'idp-1', typ: 'JWT' }
    return signJwt(this.#keys.idp, header, { ...claims, iat: now, exp: now + 3600 })
  }
}
