/** The library knows three kinds of clients and no client: a kind's name opens nothing, and many clients cost nothing. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AgentAuth } from '../../server/core/agent-auth.ts'
import type { Tenant } from '../../server/core/tenant.ts'
import type { TrustMaterial } from '../../server/oauth/authentication/trust-material.ts'
import { createClientAuthenticator } from '../../server/oauth/client-authentication.ts'
import { postForm } from '../attacks/second-node.ts'
import { AgentClient } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { newKey } from '../support/signing.ts'

let server: TestServer
beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: () => {} } })
})
afterAll(() => server.close())

describe.each(['agent', 'resource_server', 'event_receiver'])('E01 the kind %s', (kind) => {
  test.each(['token', 'introspect', 'revoke'])('is nobody at %s', async (endpoint) => {
    const form = { grant_type: 'client_credentials', token: 'x', client_id: kind }
    const bare = await postForm(`${server.issuer()}/${endpoint}`, form)
    const stranger = new AgentClient(server.issuer(), kind, newKey('stranger'))
    const signed = await stranger.post(endpoint, form)
    for (const { status, body } of [bare, signed]) {
      expect(status).toBe(401)
      expect(body).toMatchObject({
        error: 'invalid_client',
        reason: 'client_authentication_failed',
      })
    }
  })
})

test('a resource server is given nothing but leave to record, whatever the library calls it', async () => {
  const files = server.client('files-api')
  const answer = await files.token({ grant_type: 'client_credentials' })
  expect(answer.body['reason']).toBe('grant_not_permitted')
  expect((await files.exchange('x')).body['reason']).toBe('grant_not_permitted')
  expect((await files.introspect('x')).body).toEqual({ active: false })
})

test('M05 the keys of a client are read when it first comes', () => {
  let read = 0
  const auth: AgentAuth = { method: 'private_key_jwt', jwks: [], development: false }
  const agents = Array.from({ length: 10_000 }, (_, each) => {
    const agent = {
      get auth() {
        read += 1
        return auth
      },
    }
    return [`agent-${each}`, agent] as const
  })
  const tenant = { id: 'acme', issuer: server.issuer(), agents: new Map(agents) }
  createClientAuthenticator(tenant as unknown as Tenant, {} as TrustMaterial)
  expect(read).toBe(0)
})
