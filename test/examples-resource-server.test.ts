/** The example resource server as a process: what it does with a token is on record, also what it did just before it ended. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tokenOf } from './attacks/fixture.ts'
import { startAuthorizationServer, type TestServer } from './support/authorization-server.ts'
import { type Child, startChild } from './support/child-server.ts'
import { readLog } from './support/embedded-store.ts'

const AUDIENCE = 'https://files.api'

let server: TestServer
let service: Child
beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: () => {} } })
  const key = join(server.folder, 'files-api.jwk')
  const { privateKey } = server.client('files-api').key
  writeFileSync(key, JSON.stringify(privateKey.export({ format: 'jwk' })))
  const named = ['--client-id', 'files-api', '--client-key', key]
  service = await startChild({
    script: 'examples/resource-server/main.ts',
    args: ['--issuer', server.issuer(), '--audience', AUDIENCE, '--port', '0', ...named],
  })
})
afterAll(async () => {
  await service.stop()
  await server.close()
})

test('each request is in the log with its token, and nothing of what was written', async () => {
  const planner = server.client('planner')
  const form = { audience: 'files-api', scope: 'files:read files:write' }
  const token = tokenOf(await planner.open(server.idToken(), form))
  const ath = createHash('sha256').update(token).digest('base64url')
  const call = async (method: string, body?: object): Promise<number> => {
    const proof = planner.proof({ proof: { htm: method, htu: `${AUDIENCE}/files`, ath } })
    const response = await fetch(`${String(service.facts['url'])}/files`, {
      method,
      headers: {
        authorization: `DPoP ${token}`,
        dpop: proof,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    await response.text()
    return response.status
  }
  expect(await call('GET')).toBe(200)
  expect(await call('POST', { name: 'plan\n.txt', text: 'the secret plan' })).toBe(201)
  await service.stop()
  const lines = readLog(server.config.dataFolder, 'acme')
  const records = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'record')
  const shared = { client: 'files-api', subject: 'alice', chain: ['planner'], object: '/files' }
  expect(records).toMatchObject([
    { ...shared, tool: 'list_files', result: 'succeeded' },
    {
      ...shared,
      tool: 'write_file',
      change_ref: 'write 1',
      input_digest: expect.stringMatching(/^sha-256:/),
    },
  ])
  expect(lines.join('')).not.toContain('secret plan')
})
