/**
 * Doubles of the platforms that workloads run on: who gives them tokens, where the keys of those are published, and the API of a
 * cluster that is asked about its own. Real keys, real sockets; tokens have the shape of those they stand for.
 */
import { generateKeyPairSync, randomUUID, verify } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendJson, startHttp } from '../fetch/json-server.ts'
import { epoch, headerOf, newKey, payloadOf, signJwt, type TestKey } from '../support/signing.ts'

export type Members = Readonly<Record<string, unknown>>

export const PROD = 'prod.acme.example'
export const PARTNERS = 'partner.example'
/** Nobody has put its bundle where it is looked for. */
export const ABSENT = 'absent.example'
export const CLUSTER = 'https://container.googleapis.com/v1/projects/acme/locations/eu/clusters/one'
export const GITHUB = 'https://token.actions.githubusercontent.com'
export const GITLAB = 'https://gitlab.example'
export const REVIEWER = 'the.token.of-our-own-service-account'
export const ACCOUNT = {
  subject: 'system:serviceaccount:agents:researcher',
  uid: '0d6c4d4e-9b1c-4c39-9e0e-6f4f0c1d2a11',
  pod: '5b7c1c0a-3d4e-4f5a-8b9c-0d1e2f3a4b5c',
} as const

/** Two trust domains have the same key id on purpose. */
const SAME_KID = 'k1'

export interface Platform {
  readonly origin: string
  readonly port: number
  /** Keys that sign JWT-SVIDs, by trust domain; what is published is `published`. */
  readonly authority: TestKey
  readonly partners: TestKey
  readonly cluster: TestKey
  readonly github: TestKey
  readonly gitlab: TestKey
  /** What the bundle endpoint of the first trust domain serves. */
  published: { keys: Members[]; spiffe_sequence?: number; spiffe_refresh_hint?: number }
  /** How the API of the cluster is. */
  readonly api: ClusterApi
  /** Requests for the bundle and for the cluster's keys. */
  readonly fetched: { bundle: number; keys: number }
  close(): Promise<void>
}

export interface ClusterApi {
  isDown: boolean
  /** Uids of pods and service accounts that are there no more. */
  readonly deleted: Set<string>
  /** What the account's uid is now: another where it was made again under its name. */
  accountUid: string
  reviews: number
}

export async function startPlatform(): Promise<Platform> {
  const [authority, partners] = [newKey(SAME_KID), newKey(SAME_KID)]
  const [cluster, github, gitlab] = [newRsaKey('c-1'), newRsaKey('gh-1'), newRsaKey('gl-1')]
  const api: ClusterApi = {
    isDown: false,
    deleted: new Set(),
    accountUid: ACCOUNT.uid,
    reviews: 0,
  }
  const published: Platform['published'] = {
    keys: [svidKey(authority)],
    spiffe_refresh_hint: 60,
  }
  const fetched = { bundle: 0, keys: 0 }
  const listening = await startHttp((request, response) => {
    if (request.url === '/bundle') {
      fetched.bundle += 1
      return sendJson(platform.published)(request, response)
    }
    if (request.url === '/openid/v1/jwks') {
      fetched.keys += 1
      return sendJson({ keys: [cluster.publicJwk] })(request, response)
    }
    void answerReview(request, response, { api, cluster })
  })
  const platform: Platform = {
    origin: listening.origin,
    port: listening.port,
    authority,
    partners,
    cluster,
    github,
    gitlab,
    published,
    api,
    fetched,
    close: async () => listening.close(),
  }
  return platform
}

/** SPIFFE Trust Domain and Bundle §4.2: a key of a bundle. */
export function svidKey({ publicJwk }: TestKey): Members {
  const { kty, crv, x, y, kid } = publicJwk
  return { use: 'jwt-svid', kty, crv, x, y, kid }
}

export function newRsaKey(kid: string): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { kty, n, e } = publicKey.export({ format: 'jwk' })
  return { privateKey, publicJwk: { use: 'sig', kty, alg: 'RS256', kid, n, e }, thumbprint: '' }
}

/** A service account's projected token, as a cluster of Kubernetes 1.30 writes it: no `typ`, an audience list, `jti`. */
export function clusterToken(
  { cluster }: Pick<Platform, 'cluster'>,
  audience: string,
  claims: Members = {},
  header: Members = {},
): string {
  const now = epoch()
  return signJwt(
    cluster,
    { alg: 'RS256', kid: 'c-1', ...header },
    {
      aud: [audience],
      exp: now + 3600,
      iat: now,
      iss: CLUSTER,
      jti: randomUUID(),
      'kubernetes.io': {
        namespace: 'agents',
        node: { name: 'node-1', uid: '9a0f4f0c-0000-4000-8000-000000000001' },
        pod: { name: 'researcher-6c9f-x2x', uid: ACCOUNT.pod },
        serviceaccount: { name: 'researcher', uid: ACCOUNT.uid },
      },
      nbf: now,
      sub: ACCOUNT.subject,
      ...claims,
    },
  )
}

/** A workflow run's token, as GitHub Actions writes it. */
export function githubToken(
  { github }: Pick<Platform, 'github'>,
  audience: string,
  claims: Members = {},
): string {
  const now = epoch()
  return signJwt(
    github,
    { typ: 'JWT', alg: 'RS256', x5t: 'eBZ_cn3sXYAd0ch4THBKHIgOwOE', kid: 'gh-1' },
    {
      jti: randomUUID(),
      sub: 'repo:acme/agents:ref:refs/heads/main',
      aud: audience,
      ref: 'refs/heads/main',
      sha: 'f1d2d2f924e986ac86fdf7b36c94bcdf32beec15',
      repository: 'acme/agents',
      repository_owner: 'acme',
      repository_owner_id: '65',
      run_id: '30433642',
      run_number: '10',
      run_attempt: '1',
      repository_visibility: 'private',
      repository_id: '74',
      actor_id: '12',
      actor: 'octocat',
      workflow: 'agents',
      head_ref: '',
      base_ref: '',
      event_name: 'workflow_dispatch',
      ref_protected: 'true',
      ref_type: 'branch',
      workflow_ref: 'acme/agents/.github/workflows/run.yml@refs/heads/main',
      job_workflow_ref: 'acme/agents/.github/workflows/run.yml@refs/heads/main',
      runner_environment: 'github-hosted',
      iss: GITHUB,
      nbf: now - 600,
      exp: now + 300,
      iat: now,
      ...claims,
    },
  )
}

/** A job's ID token, as GitLab writes it. */
export function gitlabToken(
  { gitlab }: Pick<Platform, 'gitlab'>,
  audience: string,
  claims: Members = {},
): string {
  const now = epoch()
  return signJwt(
    gitlab,
    { kid: 'gl-1', typ: 'JWT', alg: 'RS256' },
    {
      namespace_id: '72',
      namespace_path: 'acme',
      project_id: '20',
      project_path: 'acme/agents',
      user_id: '1',
      user_login: 'runner',
      pipeline_id: '574',
      pipeline_source: 'push',
      job_id: '302',
      ref: 'main',
      ref_type: 'branch',
      ref_path: 'refs/heads/main',
      ref_protected: 'true',
      runner_id: 1,
      runner_environment: 'self-hosted',
      sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
      jti: randomUUID(),
      iss: GITLAB,
      iat: now,
      nbf: now - 5,
      exp: now + 3600,
      sub: 'project_path:acme/agents:ref_type:branch:ref:main',
      aud: audience,
      ...claims,
    },
  )
}

/** A JWT-SVID as SPIRE writes it: no `iss`, no `jti`. `null` leaves a member out. */
export function svid(
  key: TestKey,
  claims: Members,
  header: Members = {},
  trustDomain: string = PROD,
): string {
  const now = epoch()
  const all = {
    sub: `spiffe://${trustDomain}/agents/planner`,
    exp: now + 300,
    iat: now,
    ...claims,
  }
  return signJwt(key, { alg: 'ES256', kid: SAME_KID, typ: 'JWT', ...header }, all)
}

/** POST of a TokenReview: as authentication.k8s.io/v1 answers it. */
async function answerReview(
  request: IncomingMessage,
  response: ServerResponse,
  { api, cluster }: { readonly api: ClusterApi; readonly cluster: TestKey },
): Promise<void> {
  const text = await bodyOf(request)
  const isReview =
    request.method === 'POST' && request.url === '/apis/authentication.k8s.io/v1/tokenreviews'
  const say = (status: number, value: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
  const failure = (code: number, reason: string): void =>
    say(code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code })
  if (!isReview) return failure(404, 'NotFound')
  api.reviews += 1
  if (api.isDown) return failure(500, 'InternalError')
  if (request.headers.authorization !== `Bearer ${REVIEWER}`) return failure(401, 'Unauthorized')
  const { apiVersion, kind, spec } = JSON.parse(text)
  say(201, { apiVersion, kind, metadata: {}, spec, status: review(spec, { api, cluster }) })
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

interface ReviewSpec {
  readonly token: string
  readonly audiences: readonly string[]
}

function review(
  { token, audiences }: ReviewSpec,
  { api, cluster }: { readonly api: ClusterApi; readonly cluster: TestKey },
): unknown {
  const none = (error: string) => ({ user: {}, error: `[invalid bearer token, ${error}]` })
  if (headerOf(token)['alg'] !== 'RS256') return none('unexpected algorithm')
  const [header, payload, signature = ''] = token.split('.')
  const input = Buffer.from(`${header}.${payload}`)
  if (!verify('sha256', input, cluster.privateKey, Buffer.from(signature, 'base64url'))) {
    return none('unknown signer')
  }
  const { sub, aud, exp, 'kubernetes.io': bound = {} } = payloadOf(token)
  const found = audiences.filter((audience) => (aud as string[]).includes(audience))
  if (exp <= epoch()) return none('service account token has expired')
  if (found.length === 0) return none('token audiences are invalid for the target audiences')
  for (const kind of ['serviceaccount', 'pod']) {
    const uid = bound[kind]?.uid
    if (api.deleted.has(uid)) return none('service account token has been invalidated')
  }
  const account = bound['serviceaccount'] ?? {}
  const user = {
    username: sub,
    uid: account.uid === ACCOUNT.uid ? api.accountUid : account.uid,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:agents', 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/pod-name': [bound['pod']?.name] },
  }
  return { authenticated: true, user, audiences: found }
}
