/** Tokens of platforms: whose keys are asked, which conditions hold, and what a cluster has to say. */
import { describe, expect, test } from 'vitest'
import type { ClaimCondition } from '../../../server/core/agent-auth.ts'
import type { WorkloadIssuer } from '../../../server/core/trust.ts'
import type { ReviewedToken } from '../../../server/oauth/authentication/trust-material.ts'
import { authenticateWorkload } from '../../../server/oauth/authentication/workload-jwt.ts'
import { anAgent, aTenant, ISSUER, NOW } from '../../core/facts.ts'
import { newKey, signJwt } from '../../support/signing.ts'
import { judge, trustIn } from './trust.ts'

const CLUSTER = 'https://cluster.example'
const SUB = 'system:serviceaccount:agents:planner'
const UID = '4f9b3f4e-6f4c-4f6e-9d8f-1d3f3f0f9a55'
const REVIEW = { url: 'https://kubernetes.default.svc', ca: undefined, token: 'reviewer' }
const key = newKey('c1')

const CONDITIONS: readonly ClaimCondition[] = [
  { pointer: '/sub', values: [SUB] },
  { pointer: '/kubernetes.io/namespace', values: ['agents'] },
]

function tenantOf(issuer: Partial<WorkloadIssuer> = {}, claims = CONDITIONS) {
  const rule: WorkloadIssuer = {
    id: 'cluster',
    kind: 'kubernetes',
    issuer: CLUSTER,
    keys: { discover: CLUSTER },
    algorithms: ['ES256'],
    maxLifetime: 3600,
    singleUse: false,
    tokenReview: undefined,
    ...issuer,
  }
  const agent = (id: string, of = 'cluster') =>
    anAgent(id, { auth: { method: 'workload_jwt', issuer: of, claims } })
  return {
    ...aTenant({ agents: [agent('planner'), agent('coder', 'elsewhere'), anAgent('keyed')] }),
    workloadIssuers: new Map([[CLUSTER, rule]]),
  }
}

type Members = Readonly<Record<string, unknown>>

const token = (claims: Members = {}, header: Members = {}): string =>
  signJwt(
    key,
    { alg: 'ES256', kid: 'c1', ...header },
    {
      iss: CLUSTER,
      sub: SUB,
      aud: [ISSUER],
      exp: NOW + 600,
      iat: NOW - 1,
      nbf: NOW - 1,
      'kubernetes.io': {
        namespace: 'agents',
        serviceaccount: { name: 'planner', uid: UID },
      },
      ...claims,
    },
  )

interface Presented {
  readonly tenant?: ReturnType<typeof tenantOf>
  readonly clientId?: string
  readonly review?: () => Promise<ReviewedToken | undefined>
}

async function present(text: string, presented: Presented = {}) {
  const { tenant = tenantOf(), clientId = 'planner', review } = presented
  const { trust, asked } = trustIn({ keys: [key.publicJwk], ...(review && { review }) })
  const sent = { type: 'jwt-bearer', text, clientId, now: NOW } as const
  return { outcome: await judge(authenticateWorkload, tenant, trust, sent), asked }
}

describe('a workload', () => {
  test('is the agent that its client_id names and its claims describe', async () => {
    expect(await present(token())).toEqual({
      outcome: {
        client: 'planner',
        method: 'workload_jwt',
        credential: SUB,
        use: {
          kind: 'with_key',
          claim: {
            tenant: 'acme',
            kind: 'client_assertion',
            id: [CLUSTER, expect.stringMatching(/^sha256:/)],
            expiresAt: NOW + 605,
          },
        },
      },
      asked: ['keys'],
    })
  })

  test.each(['coder', 'keyed', 'nobody', 'Planner', '__proto__'])(
    'is not %s, which costs what a known one does',
    async (clientId) => {
      const outcome = 'client_unknown'
      expect(await present(token(), { clientId })).toEqual({ outcome, asked: ['keys'] })
    },
  )

  test('is claimed once where the rule says so', async () => {
    const { outcome } = await present(token({ jti: 'x' }), {
      tenant: tenantOf({ singleUse: true }),
    })
    expect(outcome).toMatchObject({ use: { kind: 'single', claim: { id: [CLUSTER, 'jti:x'] } } })
  })

  test('is nobody where no condition names it', async () => {
    const { outcome } = await present(token(), { tenant: tenantOf({}, []) })
    expect(outcome).toBe('workload_conditions')
  })

  test('of the same issuer with other claims is somebody else', async () => {
    for (const claims of [
      { sub: 'system:serviceaccount:agents:coder' },
      { 'kubernetes.io': { namespace: 'other' } },
      { 'kubernetes.io': undefined },
      { 'kubernetes.io': null },
      { 'kubernetes.io/namespace': 'agents', 'kubernetes.io': 'agents' },
    ]) {
      expect((await present(token(claims))).outcome).toBe('workload_conditions')
    }
  })
})

describe('a review by the cluster', () => {
  const tenant = tenantOf({ tokenReview: REVIEW })
  const good: ReviewedToken = { username: SUB, uid: UID, audiences: [ISSUER] }
  const outcomeOf = async (reviewed: Partial<ReviewedToken> | undefined, text = token()) =>
    (
      await present(text, {
        tenant,
        review: async () => reviewed && { ...good, ...reviewed },
      })
    ).outcome

  test('is asked for last, about our audience, and has to agree', async () => {
    const { outcome, asked } = await present(token(), { tenant, review: async () => good })
    expect(outcome).toMatchObject({ client: 'planner' })
    expect(asked).toEqual(['keys', `review for ${ISSUER}`])
    // What is not the workload's own is not shown to the cluster at all.
    const stranger = await present(token({ sub: 'system:serviceaccount:agents:x' }), { tenant })
    expect(stranger.asked).toEqual(['keys'])
  })

  test('refuses what is gone, what is another, and what it does not find for us', async () => {
    expect(await outcomeOf(undefined)).toBe('workload_gone')
    expect(await outcomeOf({ audiences: [] })).toBe('review_audience')
    expect(await outcomeOf({ audiences: ['https://kubernetes.default.svc'] })).toBe(
      'review_audience',
    )
    expect(await outcomeOf({ username: 'system:serviceaccount:agents:coder' })).toBe(
      'review_subject',
    )
    expect(await outcomeOf({ uid: undefined })).toBe('review_uid')
    // E10: the account was removed and made again under its name.
    expect(await outcomeOf({ uid: '00000000-0000-0000-0000-000000000000' })).toBe('review_uid')
  })

  test('that cannot be had throws: never yes', async () => {
    const review = () => Promise.reject(new Error('unreachable'))
    await expect(present(token(), { tenant, review })).rejects.toThrow('unreachable')
  })
})
