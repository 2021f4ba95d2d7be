/** Signing keys over the management API of two nodes: rotated, imported, followed by another algorithm, and agreed on by both. */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLocalSigner, generatePrivateJwk } from '../../keys/signer.ts'
import { apply, store } from '../attacks/live.ts'
import { type SecondNode, startSecondNode } from '../attacks/second-node.ts'
import { type AdminClient, grantRoles, operatorOf, personOf } from '../support/admin-client.ts'
import type { Answer } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { headerOf } from '../support/signing.ts'

const KEYS = '/tenants/acme/keys'

let server: TestServer
let node: SecondNode
let operator: AdminClient
let there: AdminClient
beforeAll(async () => {
  server = await startAuthorizationServer({
    tenants: { acme: grantRoles, globex: () => {} },
  })
  node = await startSecondNode(server)
  operator = await operatorOf(server)
  there = await operatorOf(server, node.origin)
})
afterAll(async () => {
  await node.close()
  await server.close()
})

type Key = Readonly<Record<string, string>>

async function keys(tenant = 'acme', at: AdminClient = operator): Promise<readonly Key[]> {
  return (await at.get(`/tenants/${tenant}/keys`)).body['items']
}

async function published(origin: string, tenant = 'acme'): Promise<readonly string[]> {
  const answer = await fetch(`${origin}/t/${tenant}/jwks`)
  expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
  const body = (await answer.json()) as Answer['body']
  return body['keys'].map(({ kid }: Key) => kid)
}

async function expectAgreed(): Promise<void> {
  const here = await published(server.config.publicUrl)
  expect(await published(node.origin)).toEqual(here)
  expect((await keys()).map(({ kid }) => kid)).toEqual(here)
  expect(await keys('acme', there)).toEqual(await keys())
}

async function kill(kid: string | undefined, at: AdminClient = operator): Promise<void> {
  expect((await at.post(`${KEYS}/kill`, { kid, reason: 'of this test' })).status).toBe(200)
}

const lastEntry = (of = 'acme') =>
  server.audit().findLast(({ event, tenant }) => event === 'management' && tenant === of)

describe('a rotation', () => {
  test('K03 is published at once by every node, and signs two cache periods and a second later', async () => {
    const [before] = await keys()
    const asked = Date.now()
    const { status, body } = await there.post(KEYS, {})
    expect([status, body]).toEqual([
      201,
      {
        kid: expect.any(String),
        alg: 'ES256',
        state: 'next',
        signs_from: expect.any(String),
        keeper: 'sealed',
      },
    ])
    const from = Date.parse(body['signs_from'])
    expect(from - asked).toBeGreaterThan(1200_000)
    expect(from - asked).toBeLessThan(1300_000)
    const [active, next] = await keys()
    expect(active).toEqual({
      ...before,
      published_until: new Date(from + (8 * 3600 + 120) * 1000).toISOString(),
    })
    expect(next).toEqual(body)
    await expectAgreed()
    const answer = await server.client('planner').open(server.idToken())
    expect(headerOf(String(answer.body['access_token']))['kid']).toBe(active?.['kid'])
    expect(lastEntry()).toMatchObject({
      action: 'rotate_key',
      outcome: 'permit',
      tenant: 'acme',
      author: 'operator',
      kid: body['kid'],
      signs_from: from / 1000,
    })
  })

  test('is not planned again while it waits, at any node', async () => {
    const [, next] = await keys()
    for (const at of [operator, there]) {
      const { status, body } = await at.post(KEYS, {})
      expect([status, body['reason']]).toEqual([409, 'key_waiting'])
      expect(body['retry_from']).toBe(next?.['signs_from'])
    }
    expect(lastEntry()).toMatchObject({ action: 'rotate_key', reason: 'key_waiting' })
  })

  test('asked of both nodes at once is one', async () => {
    await kill((await keys())[1]?.['kid'])
    const asked = [operator, there, operator, there]
    const answers = await Promise.all(asked.map((at) => at.post(KEYS, {})))
    const statuses = answers.map(({ status }) => String(status))
    expect(statuses.toSorted()).toEqual(['201', '409', '409', '409'])
    await expectAgreed()
    expect(await keys()).toHaveLength(2)
    // What the others had made is nowhere.
    const files = readdirSync(join(server.config.dataFolder, 'keys'))
    expect(files.filter((name) => /^acme\.\d+\.sealed$/.test(name))).toHaveLength(2)
  })

  test('K04 a kill of the key in use lets the one that waits sign at once', async () => {
    const [active, next] = await keys()
    await kill(active?.['kid'], there)
    const [now, ...others] = await keys()
    expect([now?.['kid'], now?.['state'], others]).toEqual([next?.['kid'], 'active', []])
    await expectAgreed()
    const answer = await server.client('planner').open(server.idToken())
    expect(headerOf(String(answer.body['access_token']))['kid']).toBe(next?.['kid'])
  })

  test('is for the operator and admins', async () => {
    for (const role of ['policy_author', 'helpdesk', 'reviewer'] as const) {
      const { status, body } = await (await personOf(server, 'acme', role)).post(KEYS, {})
      expect([status, body['reason']]).toEqual([403, 'role_required'])
    }
    const { status, body } = await (await personOf(server, 'acme', 'admin')).post(KEYS, {})
    expect(status).toBe(201)
    await kill(body['kid'])
  })
})

describe('an imported key', () => {
  const jwk = generatePrivateJwk('ES256')
  const { kid } = createLocalSigner(jwk, 'ES256')
  const bring = (key: unknown, at: AdminClient = operator, tenant = 'acme') =>
    at.post(`/tenants/${tenant}/keys`, { private_key: key })

  test('is the next one at every node, and nothing of its private half is anywhere to read', async () => {
    const answer = await bring(JSON.stringify(jwk), there)
    expect([answer.status, answer.body['kid'], answer.body['state']]).toEqual([201, kid, 'next'])
    await expectAgreed()
    expect(lastEntry()).toMatchObject({ action: 'import_key', kid, outcome: 'permit' })
    const said = [answer.text, JSON.stringify(server.audit()), JSON.stringify(server.logged)]
    for (const text of said) expect(text).not.toContain(jwk['d'])
  })

  test('is nobody else’s, and none that was killed', async () => {
    for (const tenant of ['acme', 'globex']) {
      const { status, body } = await bring(JSON.stringify(jwk), operator, tenant)
      expect([status, body['reason']]).toEqual([422, 'key_unacceptable'])
      expect(lastEntry(tenant)).toMatchObject({ action: 'import_key', guard: 'key_in_use' })
    }
    await kill(kid)
    expect((await bring(JSON.stringify(jwk))).status).toBe(422)
    expect(await keys()).toHaveLength(1)
  })

  test.each([
    [
      'of another algorithm',
      () => JSON.stringify(generatePrivateJwk('EdDSA')),
      'key_of_another_algorithm',
    ],
    ['that is public', () => JSON.stringify({ ...jwk, d: undefined }), 'key_public'],
    ['that is none', () => 'sentinel', 'key_malformed'],
  ])('%s is refused, with one answer for all', async (_name, key, guard) => {
    const { status, body, text } = await bring(key())
    expect([status, body['reason']]).toEqual([422, 'key_unacceptable'])
    expect(text).not.toContain('sentinel')
    expect(lastEntry()).toMatchObject({ guard })
  })

  test('is text and nothing else', async () => {
    for (const key of [jwk, '', 7, null]) expect((await bring(key)).status).toBe(400)
    expect((await operator.post(KEYS, { privateKey: 'x' })).status).toBe(400)
  })
})

describe('another algorithm', () => {
  test('of a version that becomes live is planned as a rotation, and nothing of before is refused', async () => {
    const planner = server.client('planner')
    const token = String((await planner.open(server.idToken())).body['access_token'])
    await apply(server, operator, {
      documents: ({ tenant }) => {
        tenant['signing_alg'] = 'EdDSA'
      },
    })
    const [active, next] = await keys()
    expect([active?.['alg'], active?.['state']]).toEqual(['ES256', 'active'])
    expect([next?.['alg'], next?.['state']]).toEqual(['EdDSA', 'next'])
    await expectAgreed()
    expect(server.audit().findLast(({ action }) => action === 'rotate_key')).toMatchObject({
      author: 'operator',
      kid: next?.['kid'],
      version_after: expect.any(String),
    })
    const exchanged = await planner.exchange(token, { audience: 'researcher-a2a' })
    expect(exchanged.status, exchanged.text).toBe(200)
  })

  test('is taken back by a version that takes it back', async () => {
    await apply(server, operator, {})
    expect((await keys()).map(({ alg }) => alg)).toEqual(['ES256'])
  })

  test('of the folder is planned at the start; a key whose file is gone then is followed by another', async () => {
    const [{ kid: lost } = {}] = await keys()
    const folder = join(server.config.dataFolder, 'keys')
    const [file = '', ...others] = readdirSync(folder).filter((name) => /^acme\.\d/.test(name))
    expect(others).toEqual([])
    server.rewrite('globex', ({ tenant }) => {
      tenant['signing_alg'] = 'EdDSA'
    })
    await server.stop()
    rmSync(join(folder, file))
    await server.start()
    operator = await operatorOf(server)
    expect((await keys('globex')).map(({ alg, state }) => [alg, state])).toEqual([
      ['ES256', 'active'],
      ['EdDSA', 'next'],
    ])
    expect(server.logged).toContainEqual(
      expect.objectContaining({ event: 'signing_key_planned', tenant: 'globex' }),
    )
    expect(server.logged).toContainEqual({ event: 'signing_key_lost', tenant: 'acme', kid: lost })
    expect((await keys()).map(({ kid, state }) => [kid === lost, state])).toEqual([
      [false, 'active'],
      [true, 'retired'],
    ])
    await expectAgreed()
  })
})

test('a new tenant has its key before it is one, and the other node signs with it', async () => {
  const version = await store(server, operator, { tenant: 'acme' })
  const files = (await operator.get(`/tenants/acme/versions/${version}`)).body['files']
  const added = await operator.post('/tenants/initech/versions', { files })
  expect((await operator.activate('initech', added.body['version'], undefined)).status).toBe(200)
  const [only, ...others] = await keys('initech')
  expect([only?.['state'], others]).toEqual(['active', []])
  expect(await published(node.origin, 'initech')).toEqual([only?.['kid']])
  const token = await there.get('/tenants/initech')
  expect(token.status).toBe(200)
})
