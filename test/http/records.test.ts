/** A resource server’s own verifier and the real server: what was done with a token lands in the log beside how it came to be. */
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createVerifier, type VerificationReport } from '@actchain/verifier'
import { type RecordingVerifier, withRecords } from '@actchain/verifier/records'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tokenOf } from '../attacks/fixture.ts'
import { grantRoles } from '../support/admin-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { readLog } from '../support/embedded-store.ts'
import { personAt } from '../support/manage-client.ts'

const AUDIENCE = 'https://files.api'

let server: TestServer
let verifier: RecordingVerifier
const faults: string[] = []
beforeAll(async () => {
  server = await startAuthorizationServer({
    tenants: {
      acme: (documents) => {
        grantRoles(documents)
        const { tenant } = documents
        // A resource server signs in with one, as everybody does.
        tenant['dpop_nonces'] = true
        tenant['audit'] = { keep_texts: ['input'] }
      },
    },
  })
  verifier = withRecords(
    createVerifier({
      issuer: server.issuer(),
      audience: AUDIENCE,
      revocation: 'off',
      allowInsecureLoopback: true,
    }),
    {
      clientId: 'files-api',
      key: server.client('files-api').key.privateKey.export({ format: 'jwk' }),
      onFault: ({ kind, detail }) => faults.push(`${kind}: ${detail}`),
    },
  )
})
afterAll(async () => {
  await verifier.close()
  await server.close()
})

/** What verify says of a new token of planner’s, for alice. */
async function called(): Promise<VerificationReport> {
  const planner = server.client('planner')
  const form = { audience: 'files-api', scope: 'files:read' }
  const { headers } = await planner.open(server.idToken(), form)
  const nonce = headers.get('dpop-nonce') ?? undefined
  const token = tokenOf(await planner.open(server.idToken(), form, { proof: { nonce } }))
  const url = `${AUDIENCE}/files`
  const ath = createHash('sha256').update(token).digest('base64url')
  const proof = planner.proof({ proof: { htm: 'GET', htu: url, ath } })
  return verifier.verify({ token, proof, method: 'GET', url }, { scope: 'files:read' })
}

function entriesOf({ txn }: VerificationReport): readonly Record<string, unknown>[] {
  return readLog(server.config.dataFolder, 'acme')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((entry) => entry['txn'] === txn)
}

test('the same task’s story tells how the token was issued, and what was done with it', async () => {
  const report = await called()
  const id = verifier.record({
    of: report,
    tool: 'list_files',
    target: '/files',
    outcome: 'succeeded',
  })
  await verifier.flush()
  expect(entriesOf(report)).toMatchObject([
    { event: 'token', outcome: 'permit', jti: report.jti, chain: ['planner'] },
    {
      event: 'record',
      jti: report.jti,
      chain: ['planner'],
      subject: 'alice',
      record: id,
      tool: 'list_files',
    },
  ])
  expect(faults).toEqual([])
})

test('what a tool was called with is a digest in the log; the text is beside it, sealed, and can go', async () => {
  const report = await called()
  const [first, second] = ['the salary of Zoë', 'the salary of Bob']
  for (const input of [first, second]) {
    verifier.record({ of: report, tool: 'search', target: '/files', outcome: 'succeeded', input })
  }
  await verifier.flush()
  const [, one, other] = entriesOf(report)
  expect(one?.['digests']).toEqual({ input: expect.stringMatching(/^sha-256:/) })
  expect(one?.['ref']).not.toBe(other?.['ref'])
  const reviewer = await personAt(server, 'dave', { roles: ['reviewer', 'admin'] })
  const texts = async () => {
    const { body } = await reviewer.get(`audit/tasks/${report.txn}`)
    const { entries } = body as { entries: readonly { readonly texts?: unknown }[] }
    return entries.map((entry) => entry.texts).filter((each) => each !== undefined)
  }
  expect(await texts()).toEqual([{ input: first }, { input: second }])
  await reviewer.post('audit/erasures', { ref: one?.['ref'] })
  expect(await texts()).toEqual([{ input: second }])
  expect(readLog(server.config.dataFolder, 'acme').join()).not.toMatch(/salary/)
})

test('the server is away: what was done meanwhile is on record when it is back, once, in order', async () => {
  const report = await called()
  await server.stop()
  const tools = ['open_file', 'read_file', 'close_file']
  for (const tool of tools) {
    verifier.record({ of: report, tool, target: '/plan.txt', outcome: 'succeeded' })
  }
  await expect.poll(() => faults.length, { timeout: 10_000 }).toBeGreaterThan(0)
  await server.start()
  await verifier.flush()
  const recorded = entriesOf(report).filter(({ event }) => event === 'record')
  expect(recorded.map(({ tool }) => tool)).toEqual(tools)
})

test('its store was lost: the log itself says whose token it was', async () => {
  const report = await called()
  await server.stop()
  rmSync(join(server.config.dataFolder, 'store'), { recursive: true })
  await server.start()
  verifier.record({ of: report, tool: 'read_file', target: '/plan.txt', outcome: 'failed' })
  await verifier.flush()
  expect(entriesOf(report).at(-1)).toMatchObject({
    event: 'record',
    outcome: 'permit',
    subject: 'alice',
    chain: ['planner'],
    result: 'failed',
  })
})
