/** Threats I where a tenant asks for nonces: a proof was made in these minutes, for this tenant, or it is none. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as oauth from 'openid-client'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createDpopNonces } from '../../server/oauth/dpop-nonces.ts'
import { AdminClient, operatorForm } from '../support/admin-client.ts'
import type { AgentClient, Answer, Overrides } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { epoch, newKey } from '../support/signing.ts'
import { expectGranted, expectRefusal, expectRefused } from './refusal.ts'

let server: TestServer
let planner: AgentClient
beforeAll(async () => {
  const asking = ({ tenant }: { tenant: Record<string, unknown> }): void => {
    tenant['dpop_nonces'] = true
  }
  server = await startAuthorizationServer({ tenants: { acme: asking, globex: asking } })
  planner = server.client('planner')
})
afterAll(() => server.close())
afterEach(() => void vi.useRealTimers())

const required = { reason: 'proof_nonce_required' } as const

function ask(overrides: Overrides = {}, client = planner): Promise<Answer> {
  return client.open(server.idToken(), { audience: 'researcher-a2a' }, overrides)
}

const withNonce = (nonce: unknown, client = planner): Promise<Answer> =>
  ask({ proof: { nonce } }, client)

/** The one nonce of an answer. */
function nonceIn({ headers }: Answer): string {
  const nonce = headers.get('dpop-nonce') ?? ''
  // Two headers would arrive joined by a comma.
  expect(nonce).toMatch(/^[A-Za-z0-9_-]{22}$/)
  return nonce
}

async function newNonce(client = planner): Promise<string> {
  return nonceIn(await ask({}, client))
}

function setClock(secondsLater: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + secondsLater * 1000 })
}

describe('I04 the nonce of a proof', () => {
  test('I04 is asked for, and the one that was handed out is taken', async () => {
    const refused = await expectRefusal(server, { ...required, guard: 'proof_nonce_missing' }, () =>
      ask(),
    )
    const nonce = nonceIn(refused)
    await expectGranted(server, () => withNonce(nonce))
    // RFC 9449 §11.3: there is no going back.
    await expectRefusal(server, required, () => ask())
  })

  test.each<[string, (good: string) => unknown]>([
    ['a guess', () => 'A'.repeat(22)],
    ['an empty text', () => ''],
    ['null', () => null],
    ['a number', () => 7],
    ['a list with a good one', (good) => [good]],
    ['a good one and a space', (good) => `${good} `],
    ['a kilobyte', () => 'n'.repeat(1024)],
    // The verifier's own kind, of a resource server.
    ['one of a resource server', () => createDpopNonces('of an API').current('acme', epoch())],
  ])('I04 is not %s', async (_, bad) => {
    const good = await newNonce()
    const guard = 'proof_nonce_unknown'
    const answer = await expectRefusal(server, { ...required, guard }, () => withNonce(bad(good)))
    expect(nonceIn(answer)).toBe(good)
  })

  test('I04 is none of another tenant', async () => {
    const theirs = await newNonce(server.client('planner', 'globex'))
    await expectRefusal(server, required, () => withNonce(theirs))
  })

  test('I04 is taken for minutes, and given anew before it is too old', async () => {
    const first = await newNonce()
    const fresh = await withNonce(first)
    expect([fresh.status, fresh.headers.get('dpop-nonce')]).toEqual([200, null])
    setClock(200)
    const later = await withNonce(first)
    expect(later.status).toBe(200)
    const next = nonceIn(later)
    expect(next).not.toBe(first)
    setClock(200)
    await expectRefusal(server, required, () => withNonce(first))
    await expectGranted(server, () => withNonce(next))
  })

  test('I04 is taken by every process that has the secret, with nothing said between them', async () => {
    const secret = readFileSync(join(server.config.dataFolder, 'key-secret'), 'utf8')
    const elsewhere = createDpopNonces(secret).current('acme', epoch())
    await expectGranted(server, () => withNonce(elsewhere))
  })

  test('I04 does not make a bad proof good, and a bad proof is told so', async () => {
    const nonce = await newNonce()
    const bad = [{ iat: epoch() - 90 }, { iat: epoch() + 90 }, { htm: 'GET' }, { htu: 'https://x' }]
    for (const members of bad) {
      const proof = { nonce, ...members }
      await expectRefusal(server, { reason: 'proof_invalid' }, () => ask({ proof }))
    }
    const forged = { proof: { nonce }, proofHeader: { jwk: { ...newKey().publicJwk } } }
    await expectRefusal(server, { reason: 'proof_invalid' }, () => ask(forged))
    await expectRefusal(server, { reason: 'proof_required' }, () => ask({ proof: null }))
  })
})

describe('I03 single use', () => {
  test('I03 a proof without a good nonce spends nothing', async () => {
    const nonce = await newNonce()
    const jti = 'spent-by-nobody'
    await expectRefusal(server, required, () => ask({ proof: { jti } }))
    await expectRefusal(server, required, () => ask({ proof: { jti, nonce: 'x' } }))
    await expectGranted(server, () => ask({ proof: { jti, nonce } }))
  })

  test('I03 a proof with a good nonce works once, however many copies race', async () => {
    const headers = { dpop: planner.proof({ proof: { nonce: await newNonce() } }) }
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask({ headers })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    for (const answer of answers.filter(({ status }) => status !== 200)) {
      expectRefused(answer, 'proof_replayed')
    }
  })

  test('I03 the assertion is spent by the request that learnt the nonce: a new one goes with it', async () => {
    const assertion = { jti: 'sent-with-the-first-request' }
    const nonce = nonceIn(await ask({ assertion }))
    await expectRefusal(
      server,
      { reason: 'client_authentication_failed', guard: 'assertion_replayed' },
      () => ask({ assertion, proof: { nonce } }),
    )
  })
})

describe('nonces', () => {
  test('are for clients that authenticated', async () => {
    const answer = await ask({ assertionKey: newKey() })
    expectRefused(answer, 'client_authentication_failed')
    expect(answer.headers.get('dpop-nonce')).toBeNull()
  })

  test('are not asked for by the management API', async () => {
    const operator = new AdminClient(server.config.publicUrl)
    const answer = await operator.signIn('/token', operatorForm(server))
    expect([answer.status, answer.headers.get('dpop-nonce')]).toEqual([200, null])
    expect((await operator.get('/tenants/acme/agents')).status).toBe(200)
  })

  test('are learnt by openid-client by itself, and kept', async () => {
    const issuer = server.issuer()
    const key = await crypto.subtle.importKey(
      'jwk',
      planner.key.privateKey.export({ format: 'jwk' }),
      { name: 'ECDSA', namedCurve: 'P-256' },
      false,
      ['sign'],
    )
    const sent: number[] = []
    const client = await oauth.discovery(
      new URL(issuer),
      'planner',
      {},
      oauth.PrivateKeyJwt({ key, kid: String(planner.key.publicJwk['kid']) }),
      { algorithm: 'oauth2', execute: [oauth.allowInsecureRequests] },
    )
    client[oauth.customFetch] = async (url, options) => {
      const answer = await fetch(url, options as RequestInit)
      sent.push(answer.status)
      return answer
    }
    const DPoP = oauth.getDPoPHandle(client, await oauth.randomDPoPKeyPair('ES256'))
    const exchange = () =>
      oauth.genericGrantRequest(
        client,
        'urn:ietf:params:oauth:grant-type:token-exchange',
        {
          subject_token: server.idToken(),
          subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
          audience: 'researcher-a2a',
        },
        { DPoP },
      )
    expect((await exchange()).token_type).toBe('dpop')
    expect((await exchange()).token_type).toBe('dpop')
    expect(sent).toEqual([400, 200, 200])
  })
})
