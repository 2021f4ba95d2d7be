/** Token Status List, as this profile uses it: one list for all tokens of a task, and what it says of an ancestor. */
import { describe, expect } from 'vitest'
import { send } from './http.ts'
import { epoch, payloadOf } from './jwt.ts'
import {
  api,
  apiServer,
  call,
  first,
  handover,
  issuer,
  second,
  stranger,
  subject,
  third,
  threeHops,
  tokenOf,
} from './scenario.ts'
import { readList, referenceOf, statusOf } from './status.ts'
import { verifies } from './verifies.ts'

const LIST_TYPE = 'application/statuslist+jwt'

describe('a list', () => {
  verifies(['TSL-5.1-01', 'TSL-5.1-02', 'TSL-4.1-01'], 'is what it should be', async () => {
    const { uri } = referenceOf(await subject())
    const { header, claims, length } = await readList(uri)
    expect(header['typ']).toBe('statuslist+jwt')
    expect(claims).toMatchObject({ iss: issuer, sub: uri })
    expect([1, 2, 4, 8]).toContain(claims['status_list']['bits'])
    for (const name of ['iat', 'exp', 'ttl']) expect(claims[name]).toBeGreaterThan(0)
    expect(claims['iat']).toBeLessThanOrEqual(epoch() + 1)
    expect(claims['exp']).toBeGreaterThan(epoch())
    expect(length).toBeGreaterThan(0)
  })

  verifies(['TSL-6.2-01', 'TSL-7.1-01'], 'has every token in it, valid', async () => {
    const { one, two, three } = await threeHops()
    const own = tokenOf(await stranger.alone({ resource: api.uri }))
    for (const token of [one, two, three, own]) {
      const { uri, idx } = referenceOf(token)
      expect(uri.startsWith(`${issuer}/`)).toBe(true)
      const list = await readList(uri)
      expect(idx).toBeLessThan(list.length)
      expect(list.at(idx)).toBe(0)
    }
  })

  verifies(
    'TSL-6.2-02',
    'has an index for each token, whoever asked at the same time',
    async () => {
      const tokens = await Promise.all(Array.from({ length: 24 }, () => handover()))
      const references = tokens.map(referenceOf)
      const names = references.map(({ uri, idx }) => `${uri} ${idx}`)
      expect(new Set(names).size).toBe(tokens.length)
    },
  )

  verifies(['TSL-8.1-01', 'TSL-8.1-02', 'TSL-8.2-01'], 'is for whoever asks', async () => {
    const { uri } = referenceOf(await subject())
    for (const method of ['GET', 'HEAD']) {
      const reply = await send(uri, { method })
      expect(reply.status).toBe(200)
      expect(reply.headers['content-type']).toBe(LIST_TYPE)
      expect(reply.headers['access-control-allow-origin']).toBe('*')
      expect(reply.headers['x-content-type-options']).toBe('nosniff')
      expect(reply.text === '').toBe(method === 'HEAD')
    }
    expect((await send(uri, { method: 'POST' })).status).toBe(405)
  })

  verifies('TSL-8.2-02', 'may be kept as long as it says', async () => {
    const { uri } = referenceOf(await subject())
    const reply = await send(uri)
    const [, seconds] = /max-age=(\d+)/.exec(reply.headers['cache-control'] ?? '') ?? []
    expect(Number(seconds)).toBeLessThanOrEqual(payloadOf(reply.text)['ttl'])
    const tag = reply.headers['etag'] ?? ''
    expect(tag).toMatch(/^"[^"]+"$/)
    const again = await send(uri, { headers: { 'if-none-match': tag } })
    // Signed anew in between, it is another text.
    const same = again.status === 304 ? again.headers['etag'] === tag : again.text !== reply.text
    expect(same).toBe(true)
  })

  verifies('TSL-8.2-03', 'that is not there is 404', async () => {
    const { uri } = referenceOf(await subject())
    for (const text of [`${uri}0`, uri.replace(/[^/]+$/, 'g0-0'), uri.replace(/[^/]+$/, '%2e%2e')])
      expect((await send(text)).status).toBe(404)
  })

  verifies('TSL-8.4-01', 'of the past is not told', async () => {
    const { uri } = referenceOf(await subject())
    const reply = await send(`${uri}?time=${epoch() - 3600}`)
    expect([404, 406, 501]).toContain(reply.status)
    expect(reply.headers['content-type']).not.toBe(LIST_TYPE)
  })

  verifies('TSL-9.1-01', 'is among those the metadata leads to', async () => {
    const { pathname, origin } = new URL(issuer)
    const metadata = await send(`${origin}/.well-known/oauth-authorization-server${pathname}`)
    const endpoint = String(metadata.json['status_list_aggregation_endpoint'])
    const { status, json, headers } = await send(endpoint)
    expect({ status, type: headers['content-type'] }).toEqual({
      status: 200,
      type: 'application/json',
    })
    expect(json['status_lists']).toContain(referenceOf(await subject()).uri)
  })
})

describe('what a list says of a revocation', () => {
  verifies(
    ['TSL-7.1-01', 'PROF-27'],
    'the token is invalid as soon as it is answered, and each that was made from it names it',
    async () => {
      const { one, two, three } = await threeHops()
      const references = [one, two, three].map(referenceOf)
      expect(new Set(references.map(({ uri }) => uri)).size).toBe(1)
      expect((await first.revoke(one)).status).toBe(200)
      const [revoked] = references
      expect(await statusOf(revoked!)).toBe(1)
      for (const token of [one, two, three]) {
        const { root, hops } = payloadOf(token)['act_bounds']
        const indexes = [root, ...hops].map(({ idx }: { idx: number }) => idx)
        expect(indexes).toContain(revoked?.idx)
      }
    },
  )

  verifies('PROF-27', 'a cut in the middle leaves what is above it', async () => {
    const { one, two, three } = await threeHops()
    expect((await second.revoke(two)).status).toBe(200)
    expect(await statusOf(referenceOf(one))).toBe(0)
    expect(await statusOf(referenceOf(two))).toBe(1)
    const { hops, root } = payloadOf(three)['act_bounds']
    expect(hops[1].idx).toBe(referenceOf(two).idx)
    expect((await readList(referenceOf(one).uri)).at(root.idx)).toBe(0)
  })

  verifies('PROF-27', 'a holder’s own descendants are invalid themselves', async () => {
    const one = await handover()
    const other = tokenOf(await first.exchange(one, { resource: api.uri }))
    expect(referenceOf(other).idx).not.toBe(referenceOf(one).idx)
    expect((await first.revoke(one)).status).toBe(200)
    expect(await statusOf(referenceOf(other))).toBe(1)
  })

  verifies(
    ['TSL-8.3-01', '7662-4-03'],
    'a resource server refuses what was made from it',
    async () => {
      const { one, three } = await threeHops()
      expect((await call(third, three)).status).toBe(200)
      expect((await first.revoke(one)).status).toBe(200)
      const refused = await until(async () => {
        const reply = await call(third, three)
        return reply.status === 200 ? undefined : reply
      })
      expect(refused.status).toBe(401)
      expect(refused.headers['www-authenticate']).toContain('error="invalid_token"')
      expect((await apiServer.introspect(three)).json).toEqual({ active: false })
      // And keeps to it.
      expect((await call(third, three)).status).toBe(401)
    },
  )
})

/** Asks again until there is an answer, as long as a verifier's bound is. */
async function until<Value>(ask: () => Promise<Value | undefined>): Promise<Value> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const value = await ask()
    if (value !== undefined) return value
    if (Date.now() > deadline) throw new Error('not within the bound')
  }
}
