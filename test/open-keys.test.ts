/** A server whose tenants' keys go from files to a PKCS#11 token, by a planned rotation and without a failed verification. */
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createPkcs11Keeper } from '../keys/pkcs11-keeper.ts'
import type { Config } from '../server/config.ts'
import { Secret } from '../server/core/secret.ts'
import { type RunningServer, startServer } from '../server/main.ts'
import { StartRefused } from '../server/start-refused.ts'
import type { Log } from '../server/telemetry/log.ts'
import { operatorOf } from './support/admin-client.ts'
import type { AgentClient } from './support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from './support/authorization-server.ts'
import { epoch, headerOf } from './support/signing.ts'
import { makeToken, NO_SOFTHSM, type SoftHsm } from './support/softhsm.ts'

const silence = (): void => {}
const log: Log = { debug: silence, info: silence, warn: silence, error: silence, child: () => log }

const title = NO_SOFTHSM === undefined ? 'keys in a device' : `keys in a device (${NO_SOFTHSM})`

describe.skipIf(NO_SOFTHSM !== undefined)(title, () => {
  let hsm: SoftHsm
  let server: TestServer
  let pkcs11: Config['pkcs11'] & {}
  let planner: AgentClient
  let running: RunningServer | undefined
  /** Seconds that this server's clock is ahead of the callers'. */
  let ahead = 0
  beforeAll(async () => {
    hsm = makeToken()
    pkcs11 = { ...hsm.place, pin: new Secret(hsm.place.pin.reveal()) }
    server = await startAuthorizationServer({
      tenants: { acme: ({ tenant }) => void (tenant['signing_keys'] = { cache_period: '1s' }) },
    })
    planner = server.client('planner')
  })
  beforeEach(() => server.stop())
  afterEach(() => running?.close())
  afterAll(async () => {
    await server.close()
    hsm.remove()
  })

  async function startWith(changed: Partial<Config>): Promise<void> {
    const clock = { now: () => epoch() + ahead }
    running = undefined
    running = await startServer({ ...server.config, ...changed }, { log, clock })
  }

  async function refusalOf(changed: Partial<Config>): Promise<readonly string[]> {
    const fault = await startWith(changed).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (!(fault instanceof StartRefused)) throw fault
    return fault.sentences
  }

  async function newToken(): Promise<string> {
    const answer = await planner.open(server.idToken(), { audience: 'researcher-a2a' })
    expect(answer.body['reason']).toBeUndefined()
    return String(answer.body['access_token'])
  }

  const kidOf = (token: string): string => String(headerOf(token)['kid'])

  /** Of what the server publishes now. */
  async function expectVerified(...tokens: readonly string[]): Promise<void> {
    const published = await fetch(`${server.issuer()}/jwks`)
    const keys = createLocalJWKSet((await published.json()) as JSONWebKeySet)
    for (const token of tokens) await jwtVerify(token, keys, { issuer: server.issuer() })
  }

  test('a tenant that signed with a file signs with it until it is rotated, and in the device then', async () => {
    await startWith({})
    const before = await newToken()
    await running?.close()

    await startWith({ pkcs11 })
    const sealed = await newToken()
    expect(kidOf(sealed)).toBe(kidOf(before))
    const operator = await operatorOf(server)
    const { status, body } = await operator.post('/tenants/acme/keys', {})
    expect([status, body['keeper'], body['alg']]).toEqual([201, 'pkcs11', 'ES256'])
    await expectVerified(before, sealed, await newToken())
    ahead = 3
    const inside = await newToken()
    expect(kidOf(inside)).toBe(body['kid'])
    await expectVerified(before, sealed, inside)
    // What another agent makes of it goes through the same key.
    const researcher = server.client('researcher')
    const handed = await researcher.exchange(inside, { audience: 'files-api', scope: 'files:read' })
    await expectVerified(String(handed.body['access_token']))
  })

  test('a restart finds the key in the token', async () => {
    await startWith({ pkcs11 })
    const token = await newToken()
    const { body } = await (await operatorOf(server)).get('/tenants/acme/keys')
    expect(body['items'][0]).toMatchObject({ kid: kidOf(token), keeper: 'pkcs11', state: 'active' })
    await expectVerified(token)
  })

  test('a key that is killed is destroyed in the token, and the next one is made there', async () => {
    await startWith({ pkcs11 })
    const token = await newToken()
    const kill = { kid: kidOf(token), reason: 'a test' }
    const operator = await operatorOf(server)
    expect((await operator.post('/tenants/acme/keys/kill', kill)).status).toBe(200)
    await expect(expectVerified(token)).rejects.toThrow('no applicable key')
    const next = await newToken()
    await expectVerified(next)
    expect(kidOf(next)).not.toBe(kill.kid)
    await running?.close()
    running = undefined
    const keeper = createPkcs11Keeper(hsm.place)
    const left = await Promise.all(
      [1, 2, 3, 4].map((number) => keeper.open(`acme.${number}`, 'ES256')),
    )
    await keeper.close()
    const kids = left.map((signer) => signer?.kid)
    expect(kids).toContain(kidOf(next))
    expect(kids).not.toContain(kill.kid)
  })

  test('private keys brought from elsewhere stay elsewhere', async () => {
    await startWith({ pkcs11 })
    const operator = await operatorOf(server)
    const { status, body } = await operator.post('/tenants/acme/keys', { private_key: '{}' })
    expect([status, body['reason']]).toEqual([422, 'key_unacceptable'])
  })

  test.each<[string, Partial<Config['pkcs11'] & {}> | undefined, string]>([
    [
      'without its settings',
      undefined,
      'The signing key of tenant acme is in a PKCS#11 token; set',
    ],
    ['with another PIN', { pin: new Secret('no-such-pin') }, 'ACTCHAIN_PKCS11_PIN does not log in'],
    [
      'with a token that is not there',
      { token: 'x' },
      'ACTCHAIN_PKCS11_TOKEN is "x", and no token',
    ],
    ['with a library that is none', { module: '/x.so' }, 'ACTCHAIN_PKCS11_MODULE is /x.so, which'],
  ])('does not start %s', async (_, changed, sentence) => {
    const sentences = await refusalOf(
      changed === undefined ? {} : { pkcs11: { ...pkcs11, ...changed } },
    )
    expect(sentences).toEqual([expect.stringContaining(sentence)])
    expect(sentences.join()).not.toContain('no-such-pin')
  })
})
