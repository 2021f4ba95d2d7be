/** RFC 6749 §2.3.1 and §10.10, RFC 8414 §2: secrets, what cannot be guessed, and what is said of both. */
import { createHmac, randomUUID } from 'node:crypto'
import { describe, expect } from 'vitest'
import { ASSERTION_TYPE, Client, NO_ASSERTION } from './client.ts'
import { metadata } from './documents.ts'
import { profile } from './given.ts'
import type { Form, Reply } from './http.ts'
import { encode, epoch, newKey } from './jwt.ts'
import { alone, api, expectError, ownToken, second, tokenOf } from './scenario.ts'
import { verifies } from './verifies.ts'

const { secrets } = profile

describe.runIf(secrets !== undefined)('a client with a secret', () => {
  /** What it is called, and what it proves that with. */
  function clerk() {
    if (secrets === undefined) throw new Error('no such client')
    const { issuer, agent, api: target } = secrets
    const { client_id: id, client_secret: secret = '' } = agent
    const client = new Client(issuer, agent)
    /** By these names in the header, as they stand. */
    const ask = (name: string, password: string): Promise<Reply> => {
      const authorization = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
      const fault = { anonymous: true, headers: { authorization } }
      return client.alone({ resource: target.uri }, fault)
    }
    return { id, secret, ask, client, target }
  }

  /** Every octet in its percent-encoded form, which stands for the same text. */
  const percented = (text: string): string =>
    [...Buffer.from(text)].map((octet) => `%${octet.toString(16).padStart(2, '0')}`).join('')

  verifies(
    '6749-2.3.1-01',
    'name and secret are form-encoded in the header',
    async () => {
      const { id, secret, ask } = clerk()
      expect((await ask(id, secret)).status).toBe(200)
      expect((await ask(percented(id), percented(secret))).status).toBe(200)
      const others = [`${secret}x`, percented(percented(secret)), '', `${secret} `, secret.slice(1)]
      for (const other of others) {
        const reply = await ask(id, other)
        expectError(reply, 'invalid_client', 401)
        expect(reply.headers['www-authenticate']).toMatch(/^Basic\b/i)
      }
      expectError(await ask(`${id}:`, secret), 'invalid_client', 401)
      expectError(await ask(percented(percented(id)), secret), 'invalid_client', 401)
    },
    [],
  )

  verifies(
    '8725-3.5-01',
    'does not sign with it',
    async () => {
      const { id, secret, client, target } = clerk()
      const now = epoch()
      const claims = { iss: id, sub: id, aud: client.issuer, jti: randomUUID(), iat: now }
      const input = `${encode({ alg: 'HS256' })}.${encode({ ...claims, exp: now + 60 })}`
      const mac = createHmac('sha256', secret).update(input).digest('base64url')
      const credentials = {
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: `${input}.${mac}`,
      }
      expectError(
        await client.alone({ resource: target.uri, ...credentials }),
        'invalid_client',
        401,
      )
      const methods = metadata['token_endpoint_auth_methods_supported'] ?? []
      expect(methods).not.toContain('client_secret_jwt')
    },
    [],
  )
})

describe('what metadata says', () => {
  /** RFC 8414 §2: where nothing is listed it is a secret in a header; of introspection nobody knows. */
  const listed = (endpoint: string): readonly unknown[] | undefined => {
    const methods: unknown = metadata[`${endpoint}_endpoint_auth_methods_supported`]
    const usual = endpoint === 'introspection' ? undefined : ['client_secret_basic']
    return Array.isArray(methods) ? methods : usual
  }

  verifies(
    '8414-2-06',
    'of authentication is so at each endpoint',
    async () => {
      const token = await ownToken()
      const parameters: Readonly<Record<string, Form>> = {
        token: { grant_type: 'client_credentials', resource: api.uri },
        introspection: { token },
        revocation: { token: 'no-token' },
      }
      for (const endpoint of ['token', 'introspection', 'revocation'] as const) {
        const ask = (more: Form): Promise<Reply> => {
          const dpop = endpoint === 'token' ? { headers: { dpop: second.proof() } } : {}
          return second.post(endpoint, { ...parameters[endpoint], ...more }, dpop)
        }
        const methods = listed(endpoint)
        if (methods === undefined) continue
        expect(methods).toContain('private_key_jwt')
        expect({ endpoint, status: (await ask({})).status }).toEqual({ endpoint, status: 200 })
        const others = { none: {}, client_secret_post: { client_secret: 'x' } }
        for (const [method, credentials] of Object.entries(others)) {
          if (methods.includes(method)) continue
          const reply = await ask({ ...NO_ASSERTION, client_id: second.id, ...credentials })
          expectError(reply, 'invalid_client', 401, `${method} at ${endpoint}`)
        }
      }
    },
    ['own', 'keys', 'resource', 'introspection', 'revocation'],
  )
})

describe('what is issued', () => {
  verifies(
    '6749-10.10-01',
    'has nothing in common that would help to guess the next one',
    async () => {
      const replies = await Promise.all(Array.from({ length: 16 }, () => alone()))
      // Of a JWT the signature is what nobody can make up, of any other token all of it.
      const ends = replies.map((reply) => String(tokenOf(reply).split('.').at(-1)))
      for (const end of ends) expect(end.length * 6).toBeGreaterThanOrEqual(128)
      for (const part of [ends.map((end) => end.slice(0, 8)), ends.map((end) => end.slice(-8))]) {
        expect(new Set(part).size).toBe(ends.length)
      }
      // And no key but the server's own makes one.
      expect(
        (await second.introspect(`${ends[0]}.${ends[1]}.${newKey().thumbprint}`)).json,
      ).toEqual({
        active: false,
      })
    },
    ['own', 'introspection'],
  )
})
