/** Changes of a tenant as its agents meet them: in every process, across a restart, and where a version cannot be used. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isProblems, readConfig } from '../../server/config.ts'
import { openTenants } from '../../server/open-tenants.ts'
import { StartRefused } from '../../server/start-refused.ts'
import type { Log, LogFields } from '../../server/telemetry/log.ts'
import type { TenantVersions } from '../../server/use-cases/ports.ts'
import { postForm, type SecondNode, startSecondNode } from '../attacks/second-node.ts'
import { aClock } from '../store/contract.ts'
import { operatorOf } from '../support/admin-client.ts'
import { ACCESS_TOKEN, type Answer, ASSERTION_TYPE, EXCHANGE } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { MemoryTenantVersions } from '../support/memory-store.ts'
import {
  type FolderVersion,
  makeLive,
  versionOfFolder,
  withVersions,
} from '../support/stored-version.ts'
import { type TenantDocuments, writeTenantFolder } from '../support/tenant-folder.ts'

let server: TestServer
let node: SecondNode
beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: () => {}, globex: () => {} } })
  node = await startSecondNode(server)
})
afterAll(async () => {
  await node.close()
  await server.close()
})

/** The folder of `acme` after a change, as a version; the folder then is as it was. */
function versionOf(change: (documents: TenantDocuments) => void, tenant = 'acme'): FolderVersion {
  const { tenantsFolder, publicUrl } = server.config
  server.rewrite(tenant, change)
  const version = versionOfFolder(tenantsFolder, tenant, publicUrl)
  server.rewrite(tenant, () => {})
  return version
}

const apply = (version: FolderVersion): Promise<void> =>
  inStore((versions) => makeLive(versions, 'acme', version))

const inStore = <Result>(work: (versions: TenantVersions) => Promise<Result>): Promise<Result> =>
  withVersions(server.config.dataFolder, work)

const disable = (agent: string, disabled: boolean) =>
  inStore((versions) =>
    versions.setDisabled('acme', agent, { disabled, expected: undefined }).then(() => {}),
  )

const openAt = (target: string): Promise<Answer> =>
  server.client('planner').open(server.idToken(), { audience: target, scope: 'files:read' })

/** What researcher was handed. */
async function openHere(): Promise<string> {
  const opened = await openAt('researcher-a2a')
  expect(opened.status, opened.text).toBe(200)
  return String(opened.body['access_token'])
}

/** A token of researcher, exchanged at the other node. */
async function exchangeThere(token?: string): Promise<Answer> {
  const researcher = server.client('researcher')
  return postForm(
    `${node.origin}/t/acme/token`,
    {
      grant_type: EXCHANGE,
      subject_token: token ?? (await openHere()),
      subject_token_type: ACCESS_TOKEN,
      audience: 'files-api',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: researcher.assertion(),
    },
    { dpop: researcher.proof() },
  )
}

const versionOnRecord = (): unknown =>
  server.audit().findLast(({ tenant }) => tenant === 'acme')?.['tenant_version']

const scopesOf = (documents: TenantDocuments, agent: string): string[] => {
  const found = documents.agents.agents.find(({ id }) => id === agent)
  return found?.['scopes'] as string[]
}

describe('a version that becomes live', () => {
  test('is used by the next exchange of every process, and so is the one that follows', async () => {
    const before = versionOf(() => {})
    const after = versionOf((documents) => {
      const agents = documents.agents.agents.filter(({ id }) => id === 'researcher')
      for (const agent of agents) agent['may_reach'] = ['coder-a2a']
    })
    expect((await exchangeThere()).status).toBe(200)
    for (let round = 0; round < 3; round += 1) {
      await apply(after)
      expect((await exchangeThere()).body['error']).toBe('invalid_target')
      await apply(before)
      expect((await exchangeThere()).status).toBe(200)
    }
  })

  test('is named by every decision made with it', async () => {
    const version = versionOf(({ tenant }) => {
      tenant['display_name'] = 'Acme Two'
    })
    await apply(version)
    await openAt('researcher-a2a')
    expect(versionOnRecord()).toBe(version.version)
  })

  test('L04 its narrower scopes hold for tokens made before it', async () => {
    await apply(versionOf(() => {}))
    const token = await openHere()
    const narrower = versionOf((documents) => void scopesOf(documents, 'researcher').shift())
    await apply(narrower)
    const form = { audience: 'files-api', scope: 'files:read' }
    const answer = await server.client('researcher').exchange(token, form)
    expect(answer.body['error']).toBe('invalid_scope')
    await apply(versionOf(() => {}))
  })

  test('of a tenant that has no folder is served, with keys of its own', async () => {
    const version = versionOf(() => {}, 'initech')
    const jwks = `${server.issuer('initech')}/jwks`
    // The folder was written after the start: nobody reads it.
    expect((await fetch(jwks)).status).toBe(404)
    // By the API, which makes the tenant's first key.
    const operator = await operatorOf(server)
    const files = version.sources
    const added = await operator.post('/tenants/initech/versions', { files })
    const activated = await operator.activate('initech', added.body['version'], undefined)
    expect(activated.status, activated.text).toBe(200)
    const [here, there] = await Promise.all(
      [jwks, `${node.origin}/t/initech/jwks`].map(async (url) => (await fetch(url)).json()),
    )
    expect(here).toEqual(there)
    const opened = await server.client('planner', 'initech').open(server.idToken())
    expect(opened.status, opened.text).toBe(200)
  })
})

describe('an agent disabled by hand', () => {
  test('E09 is refused by the next exchange of every process, until it is enabled', async () => {
    const token = await openHere()
    for (let round = 0; round < 3; round += 1) {
      await disable('researcher', true)
      expect((await exchangeThere(token)).status).toBe(401)
      // Nobody hands it anything either.
      expect((await openAt('researcher-a2a')).status).toBe(400)
      await disable('researcher', false)
      expect((await exchangeThere(token)).status).toBe(200)
    }
  })

  test('E09 stays so in whatever version becomes live', async () => {
    await disable('planner', true)
    await apply(
      versionOf(({ tenant }) => {
        tenant['display_name'] = 'Acme Three'
      }),
    )
    expect((await openAt('researcher-a2a')).status).toBe(401)
    await disable('planner', false)
    expect((await openAt('researcher-a2a')).status).toBe(200)
  })
})

describe('a live version that cannot be used', () => {
  test('L02 is 503 for its tenant and nobody else, told once, and put right by the next', async () => {
    const version = versionOf(({ tenant }) => {
      tenant['display_name'] = 'Acme Four'
    })
    const sources = { ...version.sources, 'agents.yaml': 'agents: [' }
    await apply({ ...version, version: 'broken', sources, compiled: '{"format":0}' })
    const told = server.logged.length
    for (let round = 0; round < 3; round += 1) {
      const answer = await openAt('researcher-a2a')
      expect(answer.status).toBe(503)
      expect(answer.body).toMatchObject({
        error: 'temporarily_unavailable',
        reason: 'unavailable',
      })
      expect((await fetch(`${server.issuer()}/jwks`)).status).toBe(503)
    }
    const events = server.logged.slice(told).map(({ event, tenant }) => ({ event, tenant }))
    expect(events).toEqual([{ event: 'tenant_unusable', tenant: 'acme' }])
    const other = await server.client('planner', 'globex').open(server.idToken())
    expect(other.status).toBe(200)
    await apply(version)
    expect((await openAt('researcher-a2a')).status).toBe(200)
  })
})

describe('a restart', () => {
  const differing = (): readonly LogFields[] =>
    server.logged.filter(({ event }) => event === 'tenant_folder_differs')

  test('keeps what is live, and tells of a folder that says something else', async () => {
    const version = versionOf(({ tenant }) => {
      tenant['display_name'] = 'Acme Five'
    })
    await apply(version)
    await disable('rogue', true)
    await server.stop()
    server.logged.length = 0
    await server.start()
    expect(differing().map(({ tenant }) => tenant)).toEqual(['acme'])
    await openAt('researcher-a2a')
    expect(versionOnRecord()).toBe(version.version)
    const { status } = await server.client('rogue').open(server.idToken('alice', 'rogue'))
    expect(status).toBe(401)
    await disable('rogue', false)
  })

  test('tells nothing where the folder says the same', async () => {
    await apply(versionOf(() => {}))
    await server.stop()
    server.logged.length = 0
    await server.start()
    expect(differing()).toEqual([])
  })
})

describe('production', () => {
  const config = readConfig({
    ACTCHAIN_PUBLIC_URL: 'https://as.example.com',
    ACTCHAIN_KEY_SECRET: 'a secret of this test and of no other one',
  })
  const silence = (): void => {}
  const silent: Log = {
    debug: silence,
    info: silence,
    warn: silence,
    error: silence,
    child: () => silent,
  }

  test('K06 a live version with a development default refuses the start, and is refused when it becomes live', async () => {
    if (isProblems(config)) throw new Error('the fixture has problems')
    const versions = new MemoryTenantVersions()
    const root = `${server.folder}/production`
    writeTenantFolder(root, 'acme') // its agents have development keys
    const version = versionOfFolder(root, 'acme', config.publicUrl)
    const edges = { log: silent, clock: aClock(), loaded: new Map(), versions }
    const { tenants } = openTenants(config, edges)
    await makeLive(versions, 'acme', version)
    expect(() => tenants.find('acme')).toThrow('cannot be used')
    expect(() => openTenants(config, edges)).toThrow(StartRefused)
    expect(() => openTenants(config, edges)).toThrow('development_keys')
  })
})
