/** RFC 6749 §5 at the token endpoint, the answer: scope, errors, and what RFC 6750 asks of the tokens. */
import { describe, expect } from 'vitest'
import { NO_ASSERTION } from './client.ts'
import type { Reply } from './http.ts'
import { unmet } from './needs.ts'
import {
  agents,
  alone,
  api,
  claimsOf,
  exchange,
  expectError,
  isWhole,
  open,
  request,
  second,
  subject,
} from './scenario.ts'
import { verifies } from './verifies.ts'

const hasExchange = unmet(['exchange']) === undefined

describe('scope', () => {
  verifies(
    '6749-3.3-01',
    'characters outside the alphabet are refused',
    async () => {
      const scopes = ['a"b', 'a\\b', 'a\tb', 'lesen:ä', `${api.read}  ${api.write}`, ` ${api.read}`]
      for (const scope of scopes) expectError(await request({ scope }), 'invalid_scope', 400, scope)
    },
    ['token', 'two_scopes'],
  )

  verifies(
    '6749-3.3-03',
    'no scope is the documented default, within bounds',
    async () => {
      const reply = await request({ scope: undefined })
      const told: unknown = reply.json['scope']
      const granted = typeof told === 'string' ? told.split(' ') : []
      if (isWhole) expect(granted).not.toEqual([])
      expect(granted.every((name) => [api.read, api.write].includes(name))).toBe(true)
    },
    ['token', 'two_scopes'],
  )

  verifies(
    '6749-5.2-06',
    'unknown, malformed and excessive scope is invalid_scope',
    async () => {
      for (const scope of ['unknown', '*', `${api.read}:more`, `${api.read},${api.write}`]) {
        expectError(await request({ scope }), 'invalid_scope', 400, scope)
      }
      if (!isWhole) return
      const { json } = await open({ resource: agents.second.endpoint, scope: api.read })
      const wider = { subject_token: String(json['access_token']), scope: api.write }
      expectError(await request(wider), 'invalid_scope')
    },
    ['token', 'two_scopes'],
  )
})

describe('answers', () => {
  const failures = (): Promise<readonly Reply[]> =>
    Promise.all([
      request(NO_ASSERTION),
      second.token({ grant_type: 'urn:x' }),
      ...(second.hasProofs ? [request({}, { proofs: 'garbage' })] : []),
      ...(isWhole ? [request({}, { proofs: null })] : []),
      ...(hasExchange
        ? [
            exchange({ subject_token: 'x' }),
            exchange({ scope: 'unknown' }),
            exchange({ resource: 'https://unknown.example' }),
          ]
        : []),
    ])

  verifies(
    '6749-5.1-01',
    'tokens and their data are not to be stored',
    async () => {
      const granted = await request()
      const token = String(granted.json['access_token'])
      const others = isWhole ? [await alone(), await second.introspect(token)] : []
      for (const reply of [granted, ...others]) {
        expect(reply.status).toBe(200)
        expect(reply.headers['cache-control']).toContain('no-store')
      }
    },
    ['token'],
  )

  verifies(
    '6749-5.1-02',
    'the older header is there too',
    async () => {
      expect((await request()).headers['pragma']).toBe('no-cache')
    },
    ['token'],
  )

  verifies(
    '6749-5.2-01',
    'every error is JSON with a code',
    async () => {
      for (const reply of await failures()) {
        expectError(reply, String(reply.json['error']), reply.status)
        expect([400, 401]).toContain(reply.status)
        expect(reply.json['error']).toMatch(/^[a-z_]+$/)
      }
    },
    ['token'],
  )

  verifies(
    '6749-5.2-07',
    'what was sent does not come back in an error',
    async () => {
      const hostile = ['"quoted"', 'back\\slash', 'line\r\nset-cookie: a=b', '🙂', '<b>']
      for (const text of hostile) {
        const replies = await Promise.all([
          request({ subject_token_type: text }),
          request({ scope: text }),
          request({ resource: undefined, audience: text }),
          second.token({ grant_type: text }),
        ])
        for (const { json, headers } of replies) {
          expect(headers['set-cookie']).toBeUndefined()
          const told = [json['error'], json['error_description'], json['error_uri'] ?? 'none']
          for (const member of told) {
            expect(member ?? '').toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/)
          }
        }
      }
    },
    ['token'],
  )

  verifies(
    '6749-5.2-08',
    'errors are not to be stored',
    async () => {
      for (const { headers } of await failures()) {
        expect(headers['cache-control']).toContain('no-store')
      }
    },
    ['token'],
  )
})

describe('what the tokens are', () => {
  verifies(['6750-5.2-01', '6750-5.3-01', '9449-11.2-01'], 'they end, within minutes', async () => {
    const own = await second.alone({ resource: api.uri })
    for (const reply of [await request(), await open({ resource: agents.second.endpoint }), own]) {
      const { exp, iat } = claimsOf(reply)
      expect(exp - iat).toBeGreaterThan(0)
      expect(reply.json['expires_in']).toBeLessThanOrEqual(300)
    }
    // At the opener's home, where only the token endpoint takes it.
    expect((await open()).json['expires_in']).toBeLessThanOrEqual(3600)
  })

  verifies(['6750-5.3-02', '9068-5-01'], 'each names one audience, and its own', async () => {
    const token = await subject()
    const one = claimsOf(await second.exchange(token, { resource: api.uri }))
    const other = claimsOf(await second.exchange(token, { resource: agents.third.endpoint }))
    expect(one['aud']).toBe(api.uri)
    expect(other['aud']).toBe(agents.third.endpoint)
  })
})
