/**
 * Threat K04 at the verifiers: they have the key set of a moment ago, and would for ten minutes more. The feed tells them that
 * a key is gone, whichever process killed it; without the feed the status lists do, within the bound of a revocation.
 */
import { createHash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { createVerifier, VerificationError, type Verifier } from '@actchain/verifier'
import { statusLists } from '@actchain/verifier/status'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { operatorOf } from '../support/admin-client.ts'
import type { AgentClient } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { headerOf } from '../support/signing.ts'
import { tokenOf } from './fixture.ts'
import { type SecondNode, startSecondNode } from './second-node.ts'

const FILES_API = 'https://files.api'
/** Seconds: what the verifiers here are held to (docs/chain-format.md §2, rule 6). */
const BOUND = 4
/** Seconds until a test gives up. */
const PATIENCE = 30

let server: TestServer
let node: SecondNode
let planner: AgentClient
const verifiers: Verifier[] = []
beforeAll(async () => {
  server = await startAuthorizationServer()
  node = await startSecondNode(server)
  planner = server.client('planner')
})
afterEach(() => {
  for (const verifier of verifiers.splice(0)) verifier.close()
})
afterAll(async () => {
  await node.close()
  await server.close()
})

interface Watched {
  readonly verifier: Verifier
  /** Times the key set was read. */
  readonly reads: () => number
}

/** A verifier of the files API that asks this node. */
function watch(feed: 'on' | 'off', origin = server.config.publicUrl): Watched {
  let reads = 0
  const verifier = createVerifier({
    issuer: server.issuer(),
    audience: FILES_API,
    allowInsecureLoopback: true,
    revocation: statusLists({ feed, freshness: BOUND }),
    fetch: (url, init) => {
      if (url.endsWith('/jwks')) reads += 1
      return fetch(url.replace(server.config.publicUrl, origin), init)
    },
  })
  verifiers.push(verifier)
  return { verifier, reads: () => reads }
}

async function newToken(): Promise<string> {
  return tokenOf(await planner.open(server.idToken(), { audience: 'files-api' }))
}

async function verdictOf({ verifier }: Watched, token: string): Promise<string> {
  const url = `${FILES_API}/entries`
  const ath = createHash('sha256').update(token).digest('base64url')
  const proof = planner.proof({ proof: { htm: 'GET', htu: url, ath } })
  const shown = { token, proof, method: 'GET', url, scheme: 'DPoP' } as const
  try {
    await verifier.verify(shown, { scope: 'files:read' })
    return 'accepted'
  } catch (error) {
    if (error instanceof VerificationError) return error.reason
    throw error
  }
}

async function kill(origin?: string): Promise<void> {
  const operator = await operatorOf(server, origin)
  const { body } = await operator.get('/tenants/acme/keys')
  const { kid } = body['items'][0]
  const done = await operator.post('/tenants/acme/keys/kill', { kid, reason: 'stolen' })
  expect(done.status, done.text).toBe(200)
}

/** Asks until the verdict is `expected`. A token that is accepted later than the bound from now is a failure at once. */
async function waitFor(expected: string, watched: Watched, token: string): Promise<void> {
  const start = performance.now()
  for (;;) {
    const asked = (performance.now() - start) / 1000
    const verdict = await verdictOf(watched, token)
    if (verdict === expected) return
    expect(verdict === 'accepted' && asked > BOUND, `${verdict} after ${asked} s`).toBe(false)
    expect(asked, `still ${verdict}`).toBeLessThan(PATIENCE)
    await wait(20)
  }
}

test.each([
  ['the node that killed it', 'here'],
  ['another node', 'there'],
] as const)(
  'K04 a verifier that listens to %s refuses the key, though its key set is warm',
  async (_, at) => {
    const origin = at === 'here' ? server.config.publicUrl : node.origin
    const watched = watch('on', origin)
    const token = await newToken()
    expect(await verdictOf(watched, token)).toBe('accepted')
    expect(watched.reads()).toBe(1)
    await kill()
    await waitFor('key_unknown', watched, token)
    const next = await newToken()
    expect(headerOf(next)['kid']).not.toBe(headerOf(token)['kid'])
    await waitFor('accepted', watched, next)
    // Not for each token: no more often than the issuer gave reason to.
    expect(await verdictOf(watched, token)).toBe('key_unknown')
    expect(watched.reads()).toBeLessThanOrEqual(3)
  },
)

test('K04 a verifier without the feed refuses the key within the bound it was given', async () => {
  const watched = watch('off')
  const token = await newToken()
  expect(await verdictOf(watched, token)).toBe('accepted')
  await kill(node.origin)
  await waitFor('key_unknown', watched, token)
  await waitFor('accepted', watched, await newToken())
  expect(await verdictOf(watched, token)).toBe('key_unknown')
})
