/** DPoP where it is asked for: at the token endpoint, and at the resource server by a bound token. */
import { expect } from 'vitest'
import type { Reply } from './http.ts'
import { api, handover, second, tokenOf } from './scenario.ts'

/** What a check of proofs at the token endpoint needs; one at the resource server needs the whole profile. */
export const AT_TOKEN_ENDPOINT = ['token', 'proofs'] as const

let token: string | undefined
/** A token of the second agent for the API, once. */
export async function apiToken(): Promise<string> {
  token ??= tokenOf(await second.exchange(await handover(), { resource: api.uri }))
  return token
}

/** Refused at the resource server, for this reason. */
export function expectChallenge(reply: Reply, error: string): void {
  expect({ status: reply.status, error: reply.json['error'] }).toEqual({ status: 401, error })
  expect(reply.headers['www-authenticate']).toContain(`error="${error}"`)
}
