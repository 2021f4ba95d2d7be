/** A node is killed in the middle of its work: what it answered for stands, and the others go on with the same store. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { postForm, startSecondNode } from '../attacks/second-node.ts'
import { ACCESS_TOKEN, ASSERTION_TYPE, EXCHANGE } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { payloadOf } from '../support/signing.ts'

const KILLS = 3
const IN_FLIGHT = 8
/** Three starts of a process, on a machine that may be busy. */
const SLOW = { timeout: 120_000 }

let server: TestServer
beforeAll(async () => {
  server = await startAuthorizationServer()
})
afterAll(() => server.close())

test('killing a node loses no acknowledged hop and leaves the store usable', SLOW, async () => {
  const researcher = server.client('researcher')
  const coder = server.client('coder')
  const root = await server.client('planner').open(server.idToken(), { audience: 'researcher-a2a' })
  const acknowledged: string[] = []
  for (let kill = 0; kill < KILLS; kill += 1) {
    const node = await startSecondNode(server)
    let isUp = true
    const exchange = async (): Promise<void> => {
      const form = {
        grant_type: EXCHANGE,
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: researcher.assertion(),
        subject_token: String(root.body['access_token']),
        subject_token_type: ACCESS_TOKEN,
        audience: 'coder-a2a',
      }
      const url = `${node.origin}/t/acme/token`
      const answer = await postForm(url, form, { dpop: researcher.proof() }).catch(() => undefined)
      if (answer?.status === 200) acknowledged.push(String(answer.body['access_token']))
      if (answer === undefined) isUp = false
    }
    const wanted = acknowledged.length + 4 + 3 * kill
    const workers = Array.from({ length: IN_FLIGHT }, async () => {
      while (isUp) await exchange()
    })
    // Killed as soon as it has answered for a few, with the others in every state of being made.
    while (acknowledged.length < wanted) await new Promise((resolve) => setImmediate(resolve))
    await node.kill()
    isUp = false
    await Promise.all(workers)
  }
  const entries = new Set(server.audit().map((entry) => entry['jti']))
  for (const token of acknowledged) {
    expect(entries.has(payloadOf(token)['jti'])).toBe(true)
    expect((await researcher.introspect(token)).body['active']).toBe(true)
  }
  const last = acknowledged.at(-1) ?? ''
  const next = await coder.exchange(last, { resource: 'https://files.api', scope: 'files:read' })
  expect(next.status).toBe(200)
})
