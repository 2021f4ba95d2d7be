/** RFC 7662: what a token's holder and its audience are told, and what nobody else is. */
import { connect, type SecureVersion } from 'node:tls'
import { describe, expect } from 'vitest'
import { Client } from './client.ts'
import { profile } from './given.ts'
import { FORM_TYPE, form, send, trusted } from './http.ts'
import { payloadOf, respelt, tampered, unsigned } from './jwt.ts'
import {
  api,
  apiServer,
  expectError,
  first,
  handover,
  idToken,
  issuer,
  isWhole,
  otherApiServer,
  request,
  second,
  stranger,
  subject,
  third,
  threeHops,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

const url = second.url('introspection')

/** A token, and a client that may ask about it: the one that gave it away, or the one that has it. */
async function known(): Promise<{ readonly token: string; readonly asker: Client }> {
  return isWhole
    ? { token: await subject(), asker: first }
    : { token: tokenOf(await request()), asker: second }
}

const INACTIVE = { active: false }

describe('the request', () => {
  verifies(
    '7662-2.1-01',
    'a token, by POST',
    async () => {
      const { token, asker } = await known()
      expectError(await asker.post('introspection', {}), 'invalid_request')
      const reply = await send(`${url}?${form({ token })}`)
      expect([400, 401, 404, 405]).toContain(reply.status)
      expect(reply.json['active']).toBeUndefined()
    },
    ['introspection', 'token'],
  )

  verifies(
    '7662-2.1-02',
    'a wrong hint hides nothing',
    async () => {
      const { token, asker } = await known()
      for (const token_type_hint of ['refresh_token', 'access_token', 'x', '']) {
        const { json } = await asker.introspect(token, { token_type_hint })
        expect({ token_type_hint, active: json['active'] }).toEqual({
          token_type_hint,
          active: true,
        })
      }
    },
    ['introspection', 'token'],
  )

  verifies(
    '7662-2.1-03',
    'callers authenticate, a stranger learns nothing',
    async () => {
      const { token } = await known()
      const reply = await send(url, {
        method: 'POST',
        headers: { 'content-type': FORM_TYPE },
        body: form({ token }),
      })
      expectError(reply, 'invalid_client', 401)
      if (!isWhole) return
      expect((await stranger.introspect(token)).json).toEqual(INACTIVE)
      expect((await third.introspect(token)).json).toEqual(INACTIVE)
    },
    ['introspection', 'token'],
  )

  verifies(
    '7662-2.3-01',
    'bad credentials are 401',
    async () => {
      const { token, asker } = await known()
      const fault = { assertionKey: stranger.key, secret: 'another' }
      expectError(await asker.post('introspection', { token }, fault), 'invalid_client', 401)
    },
    ['introspection', 'token'],
  )
})

describe('the connection', () => {
  verifies(
    '7662-4-04',
    'is TLS 1.2 or later',
    async () => {
      const { hostname, port } = new URL(issuer)
      const versionOf = (maxVersion: SecureVersion): Promise<string | null | undefined> =>
        new Promise((resolve) => {
          // Their own library would refuse the old ones before the server does.
          const ciphers = 'DEFAULT@SECLEVEL=0'
          const options = { ...trusted, host: hostname, port: Number(port || 443), ciphers }
          const minVersion = maxVersion === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1'
          const socket = connect({ ...options, minVersion, maxVersion }, () => {
            resolve(socket.getProtocol())
            socket.destroy()
          })
          socket.once('error', () => resolve(undefined))
        })
      expect(await versionOf('TLSv1')).toBeUndefined()
      expect(await versionOf('TLSv1.1')).toBeUndefined()
      const newer = [await versionOf('TLSv1.2'), await versionOf('TLSv1.3')]
      expect(newer.filter((version) => version !== undefined)).not.toEqual([])
    },
    ['introspection', 'tls'],
  )
})

describe('the answer', () => {
  verifies(
    ['7662-2.2-01', '7662-2.2-05'],
    'active is a boolean, JWTs are tokens',
    async () => {
      const { token, asker } = await known()
      const reply = await asker.introspect(token)
      expect(reply.status).toBe(200)
      expect(reply.headers['content-type']).toMatch(/^application\/json\b/)
      expect(reply.json['active']).toBe(true)
    },
    ['introspection', 'token'],
  )

  verifies(
    ['7662-2.2-02', '7662-4-01'],
    'inactive is that and nothing else',
    async () => {
      if (!isWhole) {
        const { token, asker } = await known()
        for (const one of ['random', '.', 'a.b.c', tampered(token), `${token}x`]) {
          const { status, json } = await asker.introspect(one)
          expect({ status, json }).toEqual({ status: 200, json: INACTIVE })
        }
        return
      }
      const good = await handover()
      const revoked = await handover()
      await first.revoke(revoked)
      const other = new Client(profile.other.issuer, profile.other.agent)
      const foreign = tokenOf(await other.alone({ resource: profile.other.api.uri }))
      const tokens = [
        'random',
        '',
        '.',
        'a.b.c',
        tampered(good),
        respelt(good),
        unsigned(good),
        `${good} `,
        foreign,
        idToken(),
        first.assertion(),
        revoked,
      ]
      for (const token of tokens.filter((text) => text !== '')) {
        const reply = await first.introspect(token)
        expect({ status: reply.status, json: reply.json }).toEqual({ status: 200, json: INACTIVE })
      }
      expect((await first.introspect(good)).json['active']).toBe(true)
    },
    ['introspection', 'token'],
  )

  verifies('7662-2.2-03', 'another audience’s token is inactive', async () => {
    const { three } = await threeHops()
    expect((await otherApiServer.introspect(three)).json).toEqual(INACTIVE)
    expect((await apiServer.introspect(three)).json['active']).toBe(true)
    expect((await apiServer.introspect(await subject())).json).toEqual(INACTIVE)
  })

  verifies(['7662-2.2-04', '8707-2-04'], 'an active answer has the claims', async () => {
    const { three } = await threeHops()
    const claims = payloadOf(three)
    const { json } = await apiServer.introspect(three)
    const names = ['scope', 'client_id', 'sub', 'aud', 'iss', 'exp', 'iat', 'jti', 'cnf', 'act']
    for (const name of [...names, 'auth_time', 'acr', 'amr', 'txn']) {
      expect(claims[name]).toBeDefined()
      expect(json[name]).toEqual(claims[name])
    }
    expect(json['token_type']).toBe('DPoP')
    expect(json['aud']).toBe(api.uri)
  })

  verifies(
    '7662-x-01',
    'answers are not to be stored',
    async () => {
      const { token, asker } = await known()
      for (const one of [token, 'random']) {
        expect((await asker.introspect(one)).headers['cache-control']).toContain('no-store')
      }
    },
    ['introspection', 'token'],
  )
})
