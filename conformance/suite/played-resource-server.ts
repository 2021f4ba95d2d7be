/** The resource server that trusts the issuer the suite plays: calls of it with bearer tokens, where it takes them. */
import { expect } from 'vitest'
import { type Reply, type Sent, send } from './http.ts'
import { vectorProfile } from './vectors-issuer.ts'

export const FILES = `${vectorProfile().server.uri}/files`

/** A call with a bearer token, where bearer tokens are taken. */
export function present(token: string, sent: Sent = {}): Promise<Reply> {
  return send(FILES, { ...sent, headers: { authorization: `Bearer ${token}`, ...sent.headers } })
}

export async function accepted(token: string): Promise<void> {
  const reply = await present(token)
  expect({ status: reply.status, reason: reply.json['reason'] }).toEqual({ status: 200 })
}

export async function refused(token: string, what: unknown = ''): Promise<void> {
  const { status, json, headers } = await present(token)
  expect({ what, status, error: json['error'] }).toEqual({
    what,
    status: 401,
    error: 'invalid_token',
  })
  expect(headers['www-authenticate']).toContain('error="invalid_token"')
}
