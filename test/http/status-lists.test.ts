/** Status lists as verifiers fetch them: the form of the Token Status List, never older than the request, little work. */
import request from 'supertest'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { publishedSize } from '../../server/use-cases/publish-list.ts'
import {
  expectProblem,
  ISSUER,
  openStatusSite,
  openToken,
  type StatusSite,
  stateTenant,
  statusesOf,
} from './status-site.ts'

const LIST = 'g1-a'
const PATH = `/t/acme/status/${LIST}`

let site: StatusSite
beforeEach(async () => {
  site = await openStatusSite()
  site.lists.begin(LIST)
})
afterEach(() => site.close())

/** Not decoded: the body as it came. */
async function get(path = PATH, headers: Readonly<Record<string, string>> = {}) {
  const answer = await request(site.origin).get(path).set(headers).buffer(true)
  return { status: answer.status, headers: answer.headers, body: answer.text }
}

async function read(path = PATH) {
  const { status, body } = await get(path)
  expect(status).toBe(200)
  return openToken(body, site.keyring().jwks.keys)
}

describe('a list', () => {
  test('is a signed JWT with the members of Token Status List §5.1, and the state it shows', async () => {
    site.lists.set(LIST, 5, 1)
    site.lists.set(LIST, 6, 2)
    const { header, claims } = await read()
    const { kid } = site.keyring().active
    expect(header).toEqual({ alg: 'ES256', kid, typ: 'statuslist+jwt' })
    expect(claims).toEqual({
      iss: ISSUER,
      sub: `${ISSUER}/status/${LIST}`,
      iat: site.now,
      exp: site.now + 60,
      ttl: 5,
      gen: '1',
      seq: 2,
      kids: [kid],
      status_list: { bits: 2, lst: expect.stringMatching(/^[\w-]+$/) },
    })
    const statuses = statusesOf(claims)
    expect([4, 5, 6, 7].map((index) => statuses.at(index))).toEqual([0, 1, 2, 0])
  })

  test('is packed from the lowest bits up: the bytes of the example of two bits (§4.1)', async () => {
    const example = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]
    example.forEach((status, index) => site.lists.set(LIST, index, status))
    expect([...(site.lists.read('acme', LIST)?.statuses ?? [])]).toEqual([0xc9, 0x44, 0xf9])
    const statuses = statusesOf((await read()).claims)
    expect(example.map((_, index) => statuses.at(index))).toEqual(example)
    expect(statuses.at(example.length)).toBe(0)
  })

  test.each([
    [0, 65_536],
    [32_768, 65_536],
    [32_769, 131_072],
    [100_000, 262_144],
  ])(
    'of %d indexes is published with %d, so that the next ones are inside',
    async (size, published) => {
      expect(publishedSize({ size, statuses: new Uint8Array(0), changedAt: 0, sequence: 0 })).toBe(
        published,
      )
      site.lists.begin(LIST, size)
      expect(statusesOf((await read()).claims).size).toBe(published)
    },
  )

  test('has its media type, may be kept for its `ttl`, and is read from any page', async () => {
    const { headers } = await get()
    expect(headers).toMatchObject({
      'content-type': 'application/statuslist+jwt',
      'cache-control': 'public, max-age=5',
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
      vary: 'accept',
      etag: expect.stringMatching(/^"[\w-]{43}"$/),
    })
    expect(headers).not.toHaveProperty('set-cookie')
  })

  test('is not sent again to who has these very bytes', async () => {
    const { headers } = await get()
    const etag = String(headers['etag'])
    for (const held of [etag, `"other", ${etag}`, '*']) {
      const again = await get(PATH, { 'if-none-match': held })
      expect([again.status, again.body, again.headers['etag']], held).toEqual([304, '', etag])
    }
    site.lists.set(LIST, 1, 1)
    const changed = await get(PATH, { 'if-none-match': etag })
    expect(changed.status).toBe(200)
    expect(changed.headers['etag']).not.toBe(etag)
  })

  test('answers HEAD without a body', async () => {
    const whole = await get()
    const head = await request(site.origin).head(PATH)
    expect(head.status).toBe(200)
    expect(head.text ?? '').toBe('')
    for (const name of ['content-length', 'etag', 'content-type']) {
      expect(head.headers[name]).toBe(whole.headers[name])
    }
  })

  test.each([
    ['application/statuslist+jwt', 200],
    ['*/*', 200],
    ['application/*', 200],
    ['text/html, application/statuslist+jwt;q=0.1', 200],
    ['application/statuslist+cwt', 406],
    ['application/json', 406],
    ['application/statuslist+jwt;q=0, application/statuslist+cwt', 406],
    ['*/*, application/statuslist+jwt;q=0', 406],
  ])('asked for with Accept: %s answers %d', async (accept, status) => {
    const answer = await get(PATH, { accept })
    expect(answer.status).toBe(status)
    if (status === 406) expectProblem(answer, 406, 'not_acceptable')
  })

  test('of the past is not told (§8.4)', async () => {
    expectProblem(await get(`${PATH}?time=1686925000`), 501, 'history_not_kept')
    expect((await get(`${PATH}?times=1`)).status).toBe(200)
  })
})

describe('the lists of a tenant', () => {
  test('are named by the aggregation (§9.3)', async () => {
    site.lists.begin('g1-b')
    site.lists.begin('g1-c', 64, 'globex')
    const { status, headers, body } = await get('/t/acme/status')
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/json')
    expect(JSON.parse(body)).toEqual({
      status_lists: [`${ISSUER}/status/g1-a`, `${ISSUER}/status/g1-b`],
    })
    expect((await get('/t/acme/status', { accept: 'text/html' })).status).toBe(406)
  })

  test('F05: are not there at another tenant, nor once they are over', async () => {
    site.tenants.set('globex', stateTenant('globex'))
    site.lists.begin('g1-b', 64, 'globex')
    expect((await get('/t/globex/status/g1-b')).status).toBe(200)
    const answers = [
      await get('/t/acme/status/g1-b'),
      await get('/t/globex/status/g1-a'),
      await get('/t/acme/status/g9-zz'),
      await get('/t/nobody/status/g1-a'),
    ]
    site.lists.drop(LIST)
    answers.push(await get())
    for (const answer of answers) expectProblem(answer, 404, 'not_found')
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1)
  })

  test.each(['post', 'put', 'patch', 'delete', 'options'] as const)(
    'are not asked with %s',
    async (method) => {
      for (const path of [PATH, '/t/acme/status', '/t/acme/events']) {
        const answer = await request(site.origin)[method](path)
        const { status, headers, text } = answer
        expectProblem({ status, headers, body: text }, 405, 'method_not_allowed')
        expect(headers['allow']).toBe('GET, HEAD')
      }
    },
  )

  test.each([
    '/t/acme/status/',
    '/t/acme/status/g1',
    '/t/acme/status/g1-',
    '/t/acme/status/g1-A',
    '/t/acme/status/g1-a/',
    '/t/acme/status/g1-a-b',
    '/t/acme/status/h1-a',
    '/t/acme/status/g1%2da',
    `/t/acme/status/g1-${'a'.repeat(13)}`,
    '/t/acme/status/__proto__',
    '/t/ACME/status',
    '/t/acme/events/',
  ])('are not at %s', async (path) => {
    expectProblem(await get(path), 404, 'not_found')
    expect(site.lists.reads).toBe(0)
  })

  test('cannot be told of a tenant that cannot be used', async () => {
    site.broken = new Error('its version cannot be read')
    for (const path of [PATH, '/t/acme/status', '/t/acme/events']) {
      const answer = await get(path)
      expectProblem(answer, 503, 'unavailable')
      expect(answer.headers['retry-after']).toBe('1')
    }
    expect(site.faults).toEqual([site.broken, site.broken, site.broken])
  })
})

describe('the work for a list', () => {
  test('is one compression for each change and one signature for each second', async () => {
    for (let count = 0; count < 5; count += 1) await get()
    expect(site.counted).toEqual({ compressed: 1, signed: 1 })
    site.now += 1
    const later = await read()
    await get()
    expect(later.claims['iat']).toBe(site.now)
    expect(site.counted).toEqual({ compressed: 1, signed: 2 })
    site.lists.set(LIST, 3, 1)
    expect(statusesOf((await read()).claims).at(3)).toBe(1)
    expect(site.counted).toEqual({ compressed: 2, signed: 3 })
  })

  test('is done once for all who ask together', async () => {
    await Promise.all(Array.from({ length: 50 }, () => get()))
    expect(site.counted).toEqual({ compressed: 1, signed: 1 })
  })

  test('is done again when it outgrows what it was published with', async () => {
    await get()
    site.lists.begin(LIST, 40_000)
    site.now += 1
    expect(statusesOf((await read()).claims).size).toBe(131_072)
    expect(site.counted.compressed).toBe(2)
  })

  test('is nothing for a list that is not there', async () => {
    for (let count = 0; count < 20; count += 1) await get(`/t/acme/status/g1-x${count}`)
    expect(site.counted).toEqual({ compressed: 0, signed: 0 })
  })

  test('H02: who asks while an older state is in the making waits for one that is as new as the question', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    site.compressing = () => held
    const tenant = stateTenant()
    const before = site.publisher.find(tenant, LIST)
    // Acknowledged from here on.
    site.lists.set(LIST, 9, 1)
    const after = Array.from({ length: 20 }, () => site.publisher.find(tenant, LIST))
    expect(site.counted.compressed).toBe(1)
    release()
    const opened = await Promise.all(
      [before, ...after].map(async (token) =>
        openToken((await token) ?? '', site.keyring().jwks.keys),
      ),
    )
    const seen = opened.map(({ claims }) => [claims['seq'], statusesOf(claims).at(9)])
    expect(seen).toEqual([[0, 0], ...after.map(() => [1, 1])])
    expect(site.counted).toEqual({ compressed: 2, signed: 2 })
  })

  test('a fault is not kept', async () => {
    site.compressing = () => Promise.reject(new Error('no memory'))
    expectProblem(await get(), 503, 'unavailable')
    site.compressing = undefined
    expect((await get()).status).toBe(200)
  })

  test('K04: a killed key signs nothing more, whatever is kept', async () => {
    const before = (await read()).header['kid']
    site.killKey()
    const { header } = await read()
    expect(header['kid']).not.toBe(before)
    expect(header['kid']).toBe(site.keyring().active.kid)
  })

  test('M05: of many lists only so many are kept', async () => {
    const tenant = stateTenant()
    const ids = Array.from({ length: 300 }, (_, index) => `g1-${index}`)
    for (const id of ids) {
      site.lists.begin(id)
      await site.publisher.find(tenant, id)
    }
    site.counted.compressed = 0
    for (const id of ids.toReversed()) await site.publisher.find(tenant, id)
    expect(site.counted.compressed).toBe(300 - 256)
  })
})
