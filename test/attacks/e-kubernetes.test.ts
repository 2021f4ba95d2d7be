/**
 * Threats E of service account tokens: a pod's token counts for this server alone, while pod and account are there, and never on the
 * word of a cluster that cannot be asked.
 */
import { generateKeyPairSync } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { epoch } from '../support/signing.ts'
import { ACCOUNT, CLUSTER, clusterToken, type Members, newRsaKey } from './platform.ts'
import { expectGranted, expectRefusal } from './refusal.ts'
import { FAILED, setWorkloadStage, type WorkloadStage } from './workload-stage.ts'

let stage: WorkloadStage
beforeAll(async () => {
  stage = await setWorkloadStage()
})
afterAll(() => stage.close())
afterEach(() => {
  const { api } = stage.platform
  api.isDown = false
  api.deleted.clear()
  api.accountUid = ACCOUNT.uid
})

/** Refused by the guard, and the cluster is asked so often. */
async function expectTokenRefused(
  text: string,
  guard: string | RegExp,
  reviews = 0,
): Promise<void> {
  const { server, researcher, platform } = stage
  const before = platform.api.reviews
  await expectRefusal(server, { reason: FAILED, guard }, () => researcher.work(text))
  expect(platform.api.reviews - before).toBe(reviews)
}

describe('E06 what a service account token says', () => {
  test('E06 a projected token is taken, the cluster agrees, and its account goes on record', async () => {
    const { server, researcher, platform } = stage
    const before = platform.api.reviews
    await expectGranted(server, () => researcher.work())
    expect(platform.api.reviews - before).toBe(1)
    expect(server.audit().at(-1)).toMatchObject({
      client: 'researcher',
      client_auth: 'workload_jwt',
      credential: ACCOUNT.subject,
    })
  })

  test.each<[string, (issuer: string) => unknown]>([
    ["the cluster's API", () => ['https://kubernetes.default.svc.cluster.local']],
    ["the cluster's own issuer", () => [CLUSTER]],
    ['this server and the API', (issuer) => [issuer, 'https://kubernetes.default.svc']],
    ['another tenant', (issuer) => [issuer.replace('acme', 'globex')]],
    ['the token endpoint', (issuer) => [`${issuer}/token`]],
    ['nobody', () => []],
  ])('E06 refuses a token for %s', async (_, aud) => {
    const { server, researcher } = stage
    const token = researcher.token({ aud: aud(server.issuer()) })
    await expectTokenRefused(token, 'assertion_audience')
  })

  test('E06 refuses a legacy token: no expiry, no audience, another issuer', async () => {
    const { researcher } = stage
    const legacy: Members = {
      iss: 'kubernetes/serviceaccount',
      'kubernetes.io/serviceaccount/namespace': 'agents',
      'kubernetes.io/serviceaccount/service-account.name': 'researcher',
      'kubernetes.io/serviceaccount/service-account.uid': ACCOUNT.uid,
      'kubernetes.io': undefined,
      aud: undefined,
      exp: undefined,
    }
    // An issuer that is not configured is no platform: the assertion is then an agent's own, of nobody.
    await expectTokenRefused(researcher.token(legacy), /^(?:client_id_mismatch|assertion_issuer)$/)
    await expectTokenRefused(researcher.token({ ...legacy, iss: CLUSTER }), 'assertion_audience')
    await expectTokenRefused(researcher.token({ exp: undefined }), 'assertion_expiry')
  })

  test('E06 refuses a token that lives longer than its trust rule lets it', async () => {
    const { researcher } = stage
    for (const seconds of [3700, 86_400, 31_536_000]) {
      await expectTokenRefused(researcher.token({ exp: epoch() + seconds }), 'assertion_expiry')
    }
  })

  test.each<[string, Members]>([
    ['another namespace', { 'kubernetes.io': { namespace: 'other' } }],
    ['another account of the namespace', { sub: 'system:serviceaccount:agents:default' }],
    ['another namespace in its subject', { sub: 'system:serviceaccount:other:researcher' }],
    [
      // E10: removed, and made again under its name.
      'the same account with another uid',
      {
        'kubernetes.io': {
          namespace: 'agents',
          serviceaccount: { name: 'researcher', uid: '11111111-2222-4333-8444-555555555555' },
        },
      },
    ],
    ['a namespace that is inherited', { 'kubernetes.io': { x: { namespace: 'agents' } } }],
    ['the claims under another name', { 'kubernetes.io': undefined, kubernetes: {} }],
  ])('E06 and E10 refuse a token of %s', async (_, claims) => {
    await expectTokenRefused(stage.researcher.token(claims), 'workload_conditions')
  })

  test('E06 refuses another cluster: its issuer, its key, its key under our kid', async () => {
    const { platform, researcher, server } = stage
    const other = newRsaKey('c-1')
    const iss = CLUSTER.replace('one', 'two')
    await expectTokenRefused(researcher.token({ iss }), /^(?:client_id_mismatch|assertion_issuer)$/)
    const signed = (header: Members) =>
      clusterToken({ cluster: other }, server.issuer(), {}, header)
    await expectTokenRefused(signed({}), 'assertion_signature_invalid')
    await expectTokenRefused(signed({ kid: 'c-2' }), 'assertion_key_unknown')
    const github = clusterToken({ cluster: platform.github }, server.issuer(), {}, { kid: 'gh-1' })
    await expectTokenRefused(github, 'assertion_key_unknown')
  })

  test('E06 refuses an algorithm that its trust rule does not name', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const key = { ...stage.platform.cluster, privateKey }
    const token = clusterToken({ cluster: key }, stage.server.issuer(), {}, { alg: 'ES256' })
    await expectTokenRefused(token, 'assertion_algorithm_mismatch')
  })
})

describe('E06 what the cluster says', () => {
  test.each([
    ['pod', ACCOUNT.pod],
    ['service account', ACCOUNT.uid],
  ])('E06 a token of a deleted %s is refused, though its signature is good', async (_, uid) => {
    const { platform, researcher } = stage
    platform.api.deleted.add(uid)
    await expectTokenRefused(researcher.token(), 'workload_gone', 1)
  })

  test('E10 an account that is another by now is refused', async () => {
    const { platform, researcher } = stage
    platform.api.accountUid = '11111111-2222-4333-8444-555555555555'
    await expectTokenRefused(researcher.token(), 'review_uid', 1)
  })

  test('E06 a cluster that cannot be asked is no yes: 503, told to the operator, no token', async () => {
    const { platform, researcher, server } = stage
    const text = researcher.token()
    platform.api.isDown = true
    const logged = server.logged.length
    const down = { reason: 'unavailable', guard: 'fault' } as const
    const answer = await expectRefusal(server, down, () => researcher.work(text))
    const told = server.logged.slice(logged)
    expect(told).toContainEqual(
      expect.objectContaining({ event: 'token_review_unavailable', tenant: 'acme' }),
    )
    expect(JSON.stringify([told, answer.body])).not.toContain(text.split('.')[1])
    platform.api.isDown = false
    // Nothing of it was used up.
    await expectGranted(server, () => researcher.work(text))
  })

  test('E06 the cluster is asked at every use, also with the same token and key', async () => {
    const { platform, researcher, server } = stage
    const text = researcher.token()
    await expectGranted(server, () => researcher.work(text))
    platform.api.deleted.add(ACCOUNT.pod)
    await expectTokenRefused(text, 'workload_gone', 1)
  })
})
