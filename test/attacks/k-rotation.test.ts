/**
 * Threat K03: ten planned rotations under load, asked of two nodes in turn, with a cache period of one second. Two verifiers see
 * every token: ours, which hears the feed, and one of others that reads the key set when its copy is a second old and has no other
 * way to learn a key. Tokens of every key before are shown to both again until the end.
 */
import { createHash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { createVerifier, type Verifier } from '@actchain/verifier'
import { statusLists } from '@actchain/verifier/status'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AdminClient, operatorOf } from '../support/admin-client.ts'
import type { AgentClient, Answer } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { headerOf } from '../support/signing.ts'
import { tokenOf } from './fixture.ts'
import { exchangeAt } from './live.ts'
import { type SecondNode, startSecondNode } from './second-node.ts'

const ROTATIONS = 10
const FILES_API = 'https://files.api'

let server: TestServer
let node: SecondNode
let planner: AgentClient
let researcher: AgentClient
let operators: readonly [AdminClient, AdminClient]
let ours: Verifier
let others: ReturnType<typeof createRemoteJWKSet>
beforeAll(async () => {
  server = await startAuthorizationServer({
    tenants: {
      acme: ({ tenant }) => {
        tenant['signing_keys'] = { cache_period: '1s' }
        tenant['limits'] = {
          tokens_per_place: 4096,
          tokens_per_task: 65_536,
          requests_per_task: 1_000_000,
        }
      },
    },
  })
  node = await startSecondNode(server)
  planner = server.client('planner')
  researcher = server.client('researcher')
  operators = [await operatorOf(server), await operatorOf(server, node.origin)]
  ours = createVerifier({
    issuer: server.issuer(),
    audience: FILES_API,
    allowInsecureLoopback: true,
    // What the other node says: news of both reach it through the store.
    fetch: (url, init) => fetch(url.replace(server.config.publicUrl, node.origin), init),
    revocation: statusLists({ freshness: 4 }),
  })
  const keySet = new URL(`${server.issuer()}/jwks`)
  others = createRemoteJWKSet(keySet, { cacheMaxAge: 1000, cooldownDuration: 3_600_000 })
})
afterAll(async () => {
  ours?.close()
  await node?.close()
  await server?.close()
})

/** By both verifiers; throws where one of them refuses. */
async function verify(token: string): Promise<void> {
  const url = `${FILES_API}/entries`
  const ath = createHash('sha256').update(token).digest('base64url')
  const proof = researcher.proof({ proof: { htm: 'GET', htu: url, ath } })
  await ours.verify({ token, proof, method: 'GET', url, scheme: 'DPoP' }, { scope: 'files:read' })
  const { payload } = await jwtVerify(token, others, { issuer: server.issuer() })
  expect(payload.aud).toBe(FILES_API)
}

interface Load {
  /** Tokens by the key that signed them: the last one of each. */
  readonly tokens: Map<string, string>
  readonly failures: unknown[]
  exchanges: number
  verified: number
  isOver: boolean
}

/** Exchanges the same subject token, which lives as long as the test, at each node in turn; shows every token to both verifiers. */
async function work(load: Load, subject: string): Promise<void> {
  for (let turn = 0; !load.isOver; turn += 1) {
    const form = { audience: 'files-api', scope: 'files:read' }
    const answer: Answer =
      turn % 2 === 0
        ? await researcher.exchange(subject, form)
        : await exchangeAt(node, researcher, subject, form)
    load.exchanges += 1
    try {
      const token = tokenOf(answer)
      load.tokens.set(String(headerOf(token)['kid']), token)
      await verify(token)
      load.verified += 1
    } catch (error) {
      load.failures.push(error)
    }
    await wait(30)
  }
}

async function showAll(load: Load): Promise<void> {
  for (const token of load.tokens.values()) {
    await verify(token).catch((error: unknown) => load.failures.push(error))
  }
}

test('K03 ten planned rotations fail no exchange and no verification', async () => {
  const first = { audience: 'researcher-a2a', scope: 'files:read' }
  // No copy on the way is kept for longer than a verifier's own may be.
  const { headers } = await fetch(`${server.issuer()}/jwks`)
  expect(headers.get('cache-control')).toBe('public, max-age=1')
  const subject = tokenOf(await planner.open(server.idToken(), first))
  const load: Load = { tokens: new Map(), failures: [], exchanges: 0, verified: 0, isOver: false }
  const workers = [1, 2].map(() => work(load, subject))
  const planned: string[] = []
  try {
    for (let turn = 0; turn < ROTATIONS; turn += 1) {
      const { status, body, text } = await operators[turn % 2 === 0 ? 0 : 1].post(
        '/tenants/acme/keys',
        {},
      )
      expect(status, text).toBe(201)
      planned.push(body['kid'])
      expect(load.tokens.has(body['kid'])).toBe(false)
      while (!load.tokens.has(body['kid'])) await wait(20)
      expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(body['signs_from']))
      await showAll(load)
    }
  } finally {
    load.isOver = true
    await Promise.all(workers)
  }
  expect(load.failures).toEqual([])
  expect([...load.tokens.keys()].slice(1)).toEqual(planned)
  expect(load.tokens.size).toBe(ROTATIONS + 1)
  expect(load.verified).toBe(load.exchanges)
  const refused = server.audit().filter(({ outcome }) => outcome === 'refuse')
  expect(refused).toEqual([])
}, 120_000) // thirty seconds have to pass
