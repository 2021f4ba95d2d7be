/** The one place where we stand inside oidc-provider: held, so that an upgrade which moves it is noticed here first. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider/lib/provider.js'
import { afterEach, expect, test } from 'vitest'
import { onForm, type ParsedForm } from '../../server/oauth/form-seam.ts'
import { newKey } from '../support/signing.ts'

let server: Server | undefined
afterEach(() => server?.close())

async function post(read: (form: ParsedForm) => void): Promise<Record<string, unknown>> {
  const key = newKey().privateKey.export({ format: 'jwk' })
  const provider = new Provider('http://127.0.0.1', {
    clients: [
      {
        client_id: 'planner',
        token_endpoint_auth_method: 'none',
        grant_types: ['urn:x'],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [{ ...key, alg: 'ES256', use: 'sig' }] } as never,
    clientAuthMethods: ['none'],
    cookies: { keys: ['test'] },
    features: { devInteractions: { enabled: false } },
  })
  provider.registerGrantType('urn:x', async (ctx) => {
    ctx.body = { client: ctx.oidc.client?.clientId, form: { ...ctx.oidc.body } }
  })
  onForm(provider, (_ctx, form) => read(form))
  server = createServer((req, res) => void provider.callback()(req, res))
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'urn:x', extra: 'kept' }),
  })
  return (await response.json()) as Record<string, unknown>
}

test('a form is read once, before the library looks for its client, and the library sees what was changed', async () => {
  const seen: ParsedForm[] = []
  const answer = await post((form) => {
    seen.push({ ...form })
    form['client_id'] = 'planner'
  })
  expect(seen).toEqual([{ grant_type: 'urn:x', extra: 'kept' }])
  expect(answer).toMatchObject({ client: 'planner', form: { client_id: 'planner', extra: 'kept' } })
})

test('a form that names nobody reaches no grant', async () => {
  const answer = await post(() => {})
  expect(answer['error']).toBe('invalid_request')
  expect(answer['client']).toBeUndefined()
})
