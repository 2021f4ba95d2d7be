/** RFC 6750 §3 and RFC 9449 §7.2: what the challenges of a resource server are made of. */
import { describe, expect } from 'vitest'
import { type Reply, send } from './http.ts'
import { tampered } from './jwt.ts'
import { FILES } from './played-resource-server.ts'
import { api, call, ownToken, second } from './scenario.ts'
import { hasVectors, vector } from './vectors-issuer.ts'
import { verifies } from './verifies.ts'

const PARAMETER = /([\w!#$%&'*+.^`|~-]+)=(?:"([^"\\]*)"|([\w.-]+))/g

interface Challenge {
  readonly scheme: string
  /** In order, repeated ones too. */
  readonly attributes: readonly (readonly [string, string])[]
}

/** Each challenge of an answer. Throws where something is left over that belongs to none. */
function challengesOf({ headers }: Reply): readonly Challenge[] {
  const text = headers['www-authenticate'] ?? ''
  const parts = text.split(/(?:^|, ?)(?=[A-Za-z]+ [\w-]+=)/).filter((part) => part !== '')
  return parts.map((part) => {
    const [scheme = '', ...rest] = part.split(' ')
    const told = rest.join(' ')
    const attributes = [...told.matchAll(PARAMETER)].map(
      ([, name = '', quoted, plain]) => [name.toLowerCase(), quoted ?? plain ?? ''] as const,
    )
    expect(told.replace(PARAMETER, '').replace(/[ ,]/g, '')).toBe('')
    return { scheme, attributes }
  })
}

/** Refusals of every kind, by hostile requests too. */
async function refusals(): Promise<readonly Reply[]> {
  const bearer = (token: string, path = FILES): Promise<Reply> =>
    send(path, { headers: { authorization: `Bearer ${token}` } })
  const narrow = await ownToken()
  return [
    await send(FILES),
    await send(`${api.uri}/files`),
    await bearer('no-token'),
    await bearer(tampered(vector())),
    await bearer('a"b, realm="x"'),
    await bearer(`x", error="y\\`),
    await bearer(vector({ aud: 'https://"evil".example' })),
    await bearer(vector({ scope: 'a"b\\c\r\nx: y é' })),
    await bearer(vector(), `${FILES}?realm=%22%0d%0aSet-Cookie:x`),
    await send(FILES, { headers: { authorization: ['Bearer a', 'DPoP b'] } }),
    await call(second, narrow, { proof: null }),
    await call(second, narrow, { proof: 'x"y\\z' }),
    await call(second, narrow, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    }),
  ].filter(({ status }) => status !== 200)
}

describe.runIf(hasVectors)('a challenge', () => {
  verifies('6750-3-02', 'has each attribute once', async () => {
    for (const reply of await refusals()) {
      const told = challengesOf(reply)
      if (reply.status === 401) expect(told.length).toBeGreaterThan(0)
      for (const { scheme, attributes } of told) {
        const names = attributes.map(([name]) => name)
        expect({ scheme, names: [...new Set(names)] }).toEqual({ scheme, names })
      }
      const schemes = told.map(({ scheme }) => scheme.toLowerCase())
      expect(new Set(schemes).size).toBe(schemes.length)
    }
  })

  verifies('6750-3-03', 'keeps to the characters of each attribute', async () => {
    const allowed: Readonly<Record<string, RegExp>> = {
      error: /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/,
      error_description: /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/,
      error_uri: /^[\x21\x23-\x5b\x5d-\x7e]+$/,
      scope: /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/,
      realm: /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/,
    }
    for (const reply of await refusals()) {
      expect(reply.headers['set-cookie']).toBeUndefined()
      for (const { attributes } of challengesOf(reply)) {
        for (const [name, value] of attributes) {
          expect(value).toMatch(allowed[name] ?? /^[\x20-\x7e]*$/)
        }
      }
    }
  })

  verifies('9449-7.2-02', 'of the scheme that was tried has the error', async () => {
    const errorsOf = (reply: Reply): Readonly<Record<string, string | undefined>> =>
      Object.fromEntries(
        challengesOf(reply).map(({ scheme, attributes }) => [
          scheme.toLowerCase(),
          new Map(attributes).get('error'),
        ]),
      )
    const tried = await send(FILES, { headers: { authorization: 'Bearer no-token' } })
    expect(errorsOf(tried)).toEqual({ bearer: 'invalid_token', dpop: undefined })
    const proven = await send(FILES, { headers: { authorization: 'DPoP no-token' } })
    expect(errorsOf(proven)['bearer']).toBeUndefined()
    expect(errorsOf(proven)['dpop']).toEqual(expect.any(String))
    const both = await send(FILES, { headers: { authorization: ['Bearer a', 'DPoP a'] } })
    expect([both.status, both.json['error']]).toEqual([400, 'invalid_request'])
  })
})
