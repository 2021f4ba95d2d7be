/** What a start puts on record. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { grantRoles, operatorOf, tenantFiles } from './support/admin-client.ts'
import { startAuthorizationServer, type TestServer } from './support/authorization-server.ts'
import { faultsOf } from './support/coded-entries.ts'

let server: TestServer
beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: grantRoles, globex: grantRoles } })
})
afterAll(() => server.close())

const entriesOf = (tenant: string) => server.audit().filter((entry) => entry['tenant'] === tenant)
const restart = async (): Promise<number> => {
  await server.stop()
  const before = entriesOf('acme').length
  await server.start()
  return before
}
const apply = async (tenant: string, header: Record<string, string>): Promise<string> => {
  const operator = await operatorOf(server)
  const files = tenantFiles(server, 'acme', (documents) => {
    documents.tenant['display_name'] = tenant
  })
  const { body } = await operator.post(`/tenants/${tenant}/versions`, { files })
  const path = `/tenants/${tenant}/versions/${body['version']}/activate`
  const answer = await operator.post(path, {}, { headers: header })
  expect(answer.status, answer.text).toBe(200)
  return String(body['version'])
}

test('the first one: what was read from the folder, and the key it made', () => {
  expect(entriesOf('acme')).toEqual([
    expect.objectContaining({
      code: 'tenant.loaded',
      author: 'server',
      version_after: expect.stringMatching(/^[0-9a-f]{64}$/),
    }),
    expect.objectContaining({
      code: 'key.created',
      author: 'server',
      kid: expect.any(String),
      signs_from: expect.any(Number),
    }),
  ])
  expect(faultsOf(server.audit())).toEqual([])
})

test('another one: the folder alone, as there is a key', async () => {
  const before = await restart()
  expect(entriesOf('acme').slice(before)).toMatchObject([{ code: 'tenant.loaded' }])
})

test('a key whose file is lost is replaced, and that is on record with the reason', async () => {
  await server.stop()
  rmSync(join(server.config.dataFolder, 'keys', 'globex.1.sealed'))
  const before = entriesOf('globex').length
  await server.start()
  expect(entriesOf('globex').slice(before)).toMatchObject([
    { code: 'tenant.loaded' },
    {
      code: 'key.created',
      ended_because: expect.stringMatching(/^the private half of .* is lost$/),
    },
  ])
})

test('a tenant of the store is not loaded again; a new one by the API has a key on record', async () => {
  const version = await apply('hooli', { 'if-none-match': '*' })
  expect(entriesOf('hooli')).toMatchObject([
    { code: 'version.added', author: 'operator' },
    { code: 'key.created', author: 'operator', bound_by: 'dpop' },
    { code: 'version.activated', version_after: version },
  ])
  const before = entriesOf('hooli').length
  await restart()
  expect(entriesOf('hooli')).toHaveLength(before)
})
