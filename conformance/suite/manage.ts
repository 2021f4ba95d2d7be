/** What agents and receivers ask under the issuer with a token for its management, and the proof that goes with it. */
import { createHash } from 'node:crypto'
import type { Client } from './client.ts'
import { type Reply, send } from './http.ts'
import { tokenOf } from './scenario.ts'

export interface Asked {
  readonly method?: string
  readonly body?: unknown
  /** Instead of a token for the management; null for none. */
  readonly token?: string | null
}

/** A token for `{issuer}/manage`, by client credentials. */
export async function manageToken(client: Client): Promise<string> {
  return tokenOf(await client.alone({ resource: `${client.issuer}/manage` }))
}

/** `path` under the issuer, with its query. */
export async function ask(client: Client, path: string, asked: Asked = {}): Promise<Reply> {
  const { method = 'GET', body, token = await manageToken(client) } = asked
  const url = `${client.issuer}/${path}`
  const [htu] = url.split('?')
  const ath = createHash('sha256')
    .update(token ?? '')
    .digest('base64url')
  return send(url, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `DPoP ${token}` }),
      dpop: client.proof({ proof: { htm: method, htu, ath } }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}
