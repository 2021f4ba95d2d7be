/**
 * Threat K04 at the verifiers: they have the key set of a moment ago, and would for ten minutes more. The feed tells them that
 * a key is gone, whichever process killed it; without the feed the status lists do, within the bound of a revocation.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createVerifier, VerificationError, type Verifier } from '@actchain/verifier'
import { statusLists } from '@actchain/verifier/status'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { readSealed } from '../../keys/sealed-file.ts'
import { createLocalSigner, type PrivateJwk } from '../../keys/signer.ts'
import { operatorOf } from '../support/admin-client.ts'
import type { AgentClient } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { encode, headerOf } from '../support/signing.ts'
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
  server = await startAuthorizationServer({
    tenants: {
      acme: ({ tenant }) => {
        tenant['signing_keys'] = { cache_period: '1s' }
      },
    },
  })
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
function watch(feed: 'on' | 'off', origin = server.config.publicUrl, freshness = BOUND): Watched {
  let reads = 0
  const verifier = createVerifier({
    issuer: server.issuer(),
    audience: FILES_API,
    allowInsecureLoopback: true,
    revocation: statusLists({ feed, freshness }),
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

async function kill(origin?: string, kid?: string): Promise<void> {
  const operator = await operatorOf(server, origin)
  const { body } = await operator.get('/tenants/acme/keys')
  const meant = kid ?? body['items'][0].kid
  const done = await operator.post('/tenants/acme/keys/kill', { kid: meant, reason: 'stolen' })
  expect(done.status, done.text).toBe(200)
}

/** Plans a key; resolves to its id and the second from which it signs. */
async function rotate(): Promise<{ readonly kid: string; readonly from: number }> {
  const { body, text } = await (await operatorOf(server)).post('/tenants/acme/keys', {})
  expect(body, text).toMatchObject({ state: 'next' })
  return { kid: body['kid'], from: Date.parse(body['signs_from']) }
}

/** What whoever stole the key `kid` makes of a token: the same, signed with that key. */
async function forged(token: string, kid: string): Promise<string> {
  const { dataFolder } = server.config
  const secret = readFileSync(join(dataFolder, 'key-secret'), 'utf8')
  const names = readdirSync(join(dataFolder, 'keys')).filter((name) => /^acme\.\d+\./.test(name))
  for (const name of names) {
    const sealed = readSealed(join(dataFolder, 'keys', name), secret)
    const signer = createLocalSigner(JSON.parse(sealed ?? '') as PrivateJwk, 'ES256')
    if (signer.kid !== kid) continue
    const input = `${encode({ ...headerOf(token), kid })}.${token.split('.')[1]}`
    return `${input}.${await signer.sign(input)}`
  }
  throw new Error('no such key')
}

/** Asks until the verdict is `expected`. A token that is accepted later than the bound from now is a failure at once. */
async function waitFor(
  expected: string,
  watched: Watched,
  token: string,
  meanwhile?: string,
): Promise<void> {
  const start = performance.now()
  for (;;) {
    const asked = (performance.now() - start) / 1000
    // Others' tokens come too: who hears no feed learns of keys by the lists these need.
    if (meanwhile !== undefined) expect(await verdictOf(watched, meanwhile)).toBe('accepted')
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

test.each([
  ['the feed', 'on'],
  ['the lists alone', 'off'],
] as const)(
  'K04 a key that waits, and one that is retired, are refused by who reads %s, and the one in use stays',
  async (_, feed) => {
    const watched = watch(feed, undefined, 1)
    const old = await newToken()
    const { kid, from } = await rotate()
    const early = await forged(old, kid)
    // The thief need not wait until it signs: it is published, so that nobody meets an unknown key later.
    await waitFor('accepted', watched, early, old)
    await kill(undefined, kid)
    await waitFor('key_unknown', watched, early, old)
    expect(await verdictOf(watched, old)).toBe('accepted')
    const next = await rotate()
    expect(next.from).toBeGreaterThanOrEqual(from)
    await wait(next.from - Date.now())
    const young = await newToken()
    expect([headerOf(young)['kid'], headerOf(old)['kid']]).toEqual([next.kid, expect.any(String)])
    await waitFor('accepted', watched, young, old)
    await kill(node.origin, String(headerOf(old)['kid']))
    await waitFor('key_unknown', watched, old, young)
  },
)
