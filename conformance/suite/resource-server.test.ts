/** RFC 6750 at a resource server: what a request carries, and what is told when it is not enough. */
import { describe, expect, test } from 'vitest'
import { FORM_TYPE, form, send } from './http.ts'
import { tampered } from './jwt.ts'
import { accepted, FILES, present } from './played-resource-server.ts'
import { api, call, ownToken, second, tokenOf } from './scenario.ts'
import { hasVectors, vector } from './vectors-issuer.ts'
import { verifies } from './verifies.ts'

const withVectors = describe.runIf(hasVectors)

test.runIf(hasVectors)('a right token is accepted', async () => {
  await accepted(vector())
})

withVectors('the request', () => {
  verifies('6750-2-01', 'a token in the header and in the body is refused', async () => {
    const token = vector()
    const body = form({ access_token: token, name: 'a', text: 'b' })
    const headers = { 'content-type': FORM_TYPE }
    const reply = await present(token, { method: 'POST', headers, body })
    expect([reply.status, reply.json['error']]).toEqual([400, 'invalid_request'])
    const inQuery = await send(`${FILES}?access_token=${token}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    expect([inQuery.status, inQuery.json['error']]).toEqual([400, 'invalid_request'])
  })

  verifies('6750-2.1-01', 'the header works, its scheme in any case', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const headers = { authorization: `${scheme} ${vector()}` }
      expect((await send(FILES, { headers })).status).toBe(200)
    }
    expect((await call(second, await ownToken(), { scheme: 'dpop' })).status).toBe(200)
  })

  verifies('6750-2.1-02', 'what is no token is refused quietly', async () => {
    for (const value of [
      'Bearer',
      'Bearer  ',
      'Bearer a b',
      'Bearer "a"',
      'Bearer a=b',
      'Basic YTpi',
      ',',
    ]) {
      const { status } = await send(FILES, { headers: { authorization: value } })
      expect({ value, refused: [400, 401].includes(status) }).toEqual({ value, refused: true })
    }
  })

  verifies('6750-2.3-01', 'a token in the query is no credential', async () => {
    const reply = await send(`${FILES}?access_token=${vector()}`)
    expect([reply.status, reply.json['error']]).toEqual([401, undefined])
    expect(reply.headers['www-authenticate']).not.toContain('error=')
  })

  verifies(['6750-3-01', '6750-3.1-01'], 'no credentials, a challenge without error', async () => {
    const bare = await send(FILES)
    expect(bare.status).toBe(401)
    expect(bare.headers['www-authenticate']).toMatch(/\bBearer realm="[^"]+"/)
    const bound = await send(`${api.uri}/files`)
    expect(bound.headers['www-authenticate']).toMatch(/(?:^|, )DPoP realm="[^"]+"/)
    for (const { headers, json } of [bare, bound]) {
      expect(headers['www-authenticate']).not.toMatch(/\berror/)
      expect(json['error']).toBeUndefined()
    }
  })

  verifies('6750-3.1-04', 'two sets of credentials are a bad request', async () => {
    const authorization = [`Bearer ${vector()}`, `Bearer ${vector()}`]
    const reply = await send(FILES, { headers: { authorization } })
    expect([reply.status, reply.json['error']]).toEqual([400, 'invalid_request'])
  })

  verifies(['6750-3.1-03', '6749-7-01', '9700-2.3-03'], 'too little scope is 403', async () => {
    const body = JSON.stringify({ name: 'a', text: 'b' })
    const headers = { 'content-type': 'application/json' }
    const token = tokenOf(await second.alone({ resource: api.uri, scope: api.read }))
    const reply = await call(second, token, { method: 'POST', headers, body })
    expect([reply.status, reply.json['error']]).toEqual([403, 'insufficient_scope'])
    expect(reply.headers['www-authenticate']).toContain(`scope="${api.write}"`)
    const wider = tokenOf(await second.alone({ resource: api.uri, scope: api.write }))
    expect((await call(second, wider, { method: 'POST', headers, body })).status).toBe(201)
    expect((await call(second, wider)).status).toBe(403)
  })

  verifies('9700-4.9-01', 'a refusal repeats no token and no proof', async () => {
    const token = tampered(vector())
    const proof = second.proof()
    const replies = [
      await present(token),
      await present(token, { headers: { dpop: proof } }),
      await call(second, await ownToken(), { proof: tampered(proof) }),
      await present('a"b'),
    ]
    for (const { text, headers, status } of replies) {
      expect(status).toBeGreaterThanOrEqual(400)
      const told = text + JSON.stringify(headers)
      for (const secret of [token, proof, ...token.split('.'), ...proof.split('.')]) {
        expect(told).not.toContain(secret)
      }
    }
  })
})
