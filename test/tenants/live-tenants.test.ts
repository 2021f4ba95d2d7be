/** Tenants as they are now: folder, store, and what lies over either. */
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Tenant } from '../../server/core/tenant.ts'
import {
  createLiveTenants,
  type LiveTenants,
  TenantUnavailable,
  VersionUnusable,
} from '../../server/tenants/live-tenants.ts'
import { loadTenants } from '../../server/tenants/load-tenants.ts'
import { aClock, type SettableClock } from '../store/contract.ts'
import { aSigningKey } from '../store/records.ts'
import { MemoryTenantVersions } from '../support/memory-store.ts'
import { type FolderVersion, makeLive, versionOfFolder } from '../support/stored-version.ts'
import { type TenantDocuments, writeTenantFolder } from '../support/tenant-folder.ts'
import { publicUrl, useFolder } from './folder-fixture.ts'

const folder = useFolder()
let versions: MemoryTenantVersions
let clock: SettableClock
let faults: { readonly tenant: string; readonly fault: unknown }[]
let prepared: Tenant[]
beforeEach(() => {
  versions = new MemoryTenantVersions()
  clock = aClock()
  faults = []
  prepared = []
})

/** Live tenants over a folder with `acme` and `globex`. */
function open(prepare: (tenant: Tenant) => Tenant = (tenant) => tenant): LiveTenants {
  for (const id of ['acme', 'globex']) writeTenantFolder(folder.root, id)
  const result = loadTenants({ folder: folder.root, publicUrl })
  if (result.kind === 'refused') throw new Error('the fixture has problems')
  return createLiveTenants({
    loaded: result.tenants,
    versions,
    publicUrl,
    clock,
    prepare: (tenant) => {
      prepared.push(tenant)
      return prepare(tenant)
    },
    onFault: (tenant, fault) => void faults.push({ tenant, fault }),
  })
}

/** What the folder of `acme` would be after a change, as a version. */
function changed(change: (documents: TenantDocuments) => void = () => {}): FolderVersion {
  writeTenantFolder(folder.root, 'acme', { change })
  return versionOfFolder(folder.root, 'acme', publicUrl)
}

const named = (name: string): FolderVersion =>
  changed(({ tenant }) => {
    tenant['display_name'] = name
  })

const without = (agent: string): FolderVersion =>
  changed(({ agents, resources, taskTypes }) => {
    agents.agents = agents.agents.filter(({ id }) => id !== agent)
    const endpoint = `${agent}-a2a`
    resources.resources = resources.resources.filter(({ id }) => id !== endpoint)
    for (const list of [...agents.agents, ...taskTypes.task_types]) {
      for (const name of ['may_reach', 'reach']) {
        if (list[name] !== undefined) {
          list[name] = (list[name] as string[]).filter((id) => id !== endpoint)
        }
      }
    }
  })

const disable = (agent: string, disabled = true) =>
  versions.setDisabled('acme', agent, { disabled, expected: undefined })

async function setKeys({ killed }: { readonly killed: number }): Promise<void> {
  const { signingKeys } = versions.live('acme')
  const gone = Array.from({ length: killed }, (_, at) => aSigningKey({ number: at + 1 }))
  const keys = { ...signingKeys, keys: [aSigningKey({ number: 9 })], killed: gone }
  expect(await versions.setSigningKeys('acme', keys)).toBe('changed')
}

describe('of the folder', () => {
  test('a tenant is one and the same until something changes', () => {
    const tenants = open()
    const tenant = tenants.find('acme')
    expect(tenant?.id).toBe('acme')
    expect(tenants.find('acme')).toBe(tenant)
    expect(tenants.describe('acme')).toMatchObject({ origin: 'folder', revision: 0, tenant })
    expect(tenants.ids()).toEqual(['acme', 'globex'])
  })

  test('every look costs one look at the revision, and nothing else', () => {
    const tenants = open()
    tenants.find('acme')
    const revision = vi.spyOn(versions, 'revision')
    const others = [vi.spyOn(versions, 'live'), vi.spyOn(versions, 'find')]
    for (let look = 0; look < 100; look += 1) tenants.find('acme')
    expect(revision).toHaveBeenCalledTimes(100)
    for (const other of others) expect(other).not.toHaveBeenCalled()
    expect(prepared).toHaveLength(1)
  })

  test('M05 an id nobody configured costs one look at the revision', () => {
    const tenants = open()
    const others = [vi.spyOn(versions, 'live'), vi.spyOn(versions, 'find')]
    for (const id of ['nobody', '__proto__', 'constructor', '']) {
      expect(tenants.find(id)).toBeUndefined()
      expect(tenants.describe(id)).toBeUndefined()
    }
    for (const other of others) expect(other).not.toHaveBeenCalled()
  })
})

describe('a killed key', () => {
  test('K04 is one of before from the next look on, and the version is read no second time', async () => {
    const tenants = open()
    const before = tenants.find('acme')
    expect(before?.keysKilled).toBe(0)
    await setKeys({ killed: 1 })
    const after = tenants.find('acme')
    expect(after?.keysKilled).toBe(1)
    expect([before?.keysKilled, tenants.find('globex')?.keysKilled]).toEqual([0, 0])
    expect(prepared.map(({ id }) => id)).toEqual(['acme', 'globex'])
  })

  test('K04 is lifted by no version and by no disabling', async () => {
    const tenants = open()
    await setKeys({ killed: 1 })
    await makeLive(versions, 'acme', named('Acme Two'))
    expect(tenants.find('acme')).toMatchObject({ displayName: 'Acme Two', keysKilled: 1 })
    await disable('planner')
    expect(tenants.find('acme')).toMatchObject({ keysKilled: 1 })
    expect(tenants.find('acme')?.agents.get('planner')?.disabled).toBe(true)
  })
})

test('K03 a key that is planned leaves the tenant the same object, so that no exchange is told of other facts', async () => {
  const tenants = open()
  await disable('planner')
  const before = tenants.find('acme')
  await setKeys({ killed: 0 })
  expect(tenants.find('acme')).toBe(before)
  expect(tenants.describe('acme')?.revision).toBe(2)
  await setKeys({ killed: 1 })
  expect(tenants.find('acme')).not.toBe(before)
})

describe('of the store', () => {
  test('a version that becomes live is there at the next look', async () => {
    const tenants = open()
    const before = tenants.find('acme')
    const version = named('Acme Two')
    await versions.add('acme', version)
    expect(tenants.find('acme')).toBe(before)
    await makeLive(versions, 'acme', version)
    const after = tenants.find('acme')
    expect(after).toMatchObject({ displayName: 'Acme Two', version: version.version })
    expect(after).not.toBe(before)
    expect(tenants.find('acme')).toBe(after)
    const { origin, revision, sources, checked } = tenants.describe('acme') ?? {}
    expect({ origin, revision }).toEqual({ origin: 'store', revision: 1 })
    expect(Object.fromEntries(sources ?? [])).toEqual(version.sources)
    expect(JSON.stringify(checked)).toBe(version.compiled)
    expect(tenants.find('globex')?.displayName).toBe('Acme')
  })

  test('it goes before the folder at the start too', async () => {
    const version = named('Acme Two')
    await makeLive(versions, 'acme', version)
    expect(open().find('acme')?.version).toBe(version.version)
  })

  test('a tenant without a folder is there once a version of it is live', async () => {
    const tenants = open()
    writeTenantFolder(folder.root, 'initech')
    const version = versionOfFolder(folder.root, 'initech', publicUrl)
    await versions.add('initech', version)
    expect(tenants.find('initech')).toBeUndefined()
    await makeLive(versions, 'initech', version)
    expect(tenants.find('initech')?.issuer).toBe(`${publicUrl}/t/initech`)
    expect(tenants.ids()).toEqual(['acme', 'globex', 'initech'])
  })

  test('a version stored in another form is checked again, and keeps its name', async () => {
    const tenants = open()
    const version = named('Acme Two')
    const old = { ...version, version: 'of another release', compiled: '{"format":0}' }
    await makeLive(versions, 'acme', old)
    expect(tenants.find('acme')).toMatchObject({
      displayName: 'Acme Two',
      version: 'of another release',
    })
  })

  test('each version is prepared once', async () => {
    const tenants = open((tenant) => ({ ...tenant, displayName: 'prepared' }))
    tenants.find('acme')
    await makeLive(versions, 'acme', named('Acme Two'))
    expect(tenants.find('acme')?.displayName).toBe('prepared')
    await disable('coder')
    expect(tenants.find('acme')?.displayName).toBe('prepared')
    expect(prepared.map(({ displayName }) => displayName)).toEqual(['Acme', 'Acme Two'])
  })
})

describe('what lies over a version', () => {
  test('E09 an agent disabled by hand is so at the next look, in any version, until it is enabled', async () => {
    const tenants = open()
    const before = tenants.find('acme')
    await disable('coder')
    const after = tenants.find('acme')
    expect(after).not.toBe(before)
    expect(after?.agents.get('coder')?.disabled).toBe(true)
    expect(after?.agents.get('planner')).toBe(before?.agents.get('planner'))
    expect(before?.agents.get('coder')?.disabled).toBe(false)
    const [first, second] = [named('One'), named('Two')]
    for (const version of [first, second, first]) {
      await makeLive(versions, 'acme', version)
      expect(tenants.find('acme')?.version).toBe(version.version)
      expect(tenants.find('acme')?.agents.get('coder')?.disabled).toBe(true)
    }
    await disable('coder', false)
    expect(tenants.find('acme')?.agents.get('coder')?.disabled).toBe(false)
  })

  test('E09 what a version disables, enabling by hand does not lift', async () => {
    const tenants = open()
    const version = changed(({ agents }) => {
      for (const agent of agents.agents) agent['disabled'] = true
    })
    await disable('coder')
    await makeLive(versions, 'acme', version)
    await disable('coder', false)
    expect(tenants.find('acme')?.agents.get('coder')?.disabled).toBe(true)
  })

  test('a change of it reads no version again', async () => {
    const tenants = open()
    await makeLive(versions, 'acme', named('Acme Two'))
    const before = tenants.find('acme')
    const reading = vi.spyOn(versions, 'find')
    await disable('coder')
    const after = tenants.find('acme')
    await disable('coder', false)
    const again = tenants.find('acme')
    expect(reading).not.toHaveBeenCalled()
    expect(new Set([before, after, again]).size).toBe(3)
    expect(after?.resources).toBe(before?.resources)
    expect(after?.rules).toBe(before?.rules)
  })

  test('E10 an id that had belonged to a removed agent is registered since it came back', async () => {
    const tenants = open()
    const everybody = [...(tenants.find('acme')?.agents.keys() ?? [])]
    const full = changed()
    await makeLive(versions, 'acme', without('coder'), { agentsBefore: everybody })
    expect(tenants.find('acme')?.agents.has('coder')).toBe(false)
    const { agents } = without('coder')
    await makeLive(versions, 'acme', full, { agentsBefore: agents, at: 1_900_000_000 })
    const { agents: now } = tenants.find('acme') ?? {}
    expect(now?.get('coder')?.registeredAt).toBe(1_900_000_000)
    expect(now?.get('planner')?.registeredAt).toBeUndefined()
  })

  test('who is disabled and not there disables nobody', async () => {
    const tenants = open()
    await disable('nobody')
    expect(tenants.find('acme')?.agents.has('nobody')).toBe(false)
  })
})

describe('a live version that cannot be used', () => {
  const broken = (): FolderVersion => {
    const version = named('Acme Two')
    return {
      ...version,
      compiled: '{"format":0}',
      sources: { ...version.sources, 'agents.yaml': 'agents: [' },
    }
  }

  test('L02 is a fault of its tenant, told once, and what was live before is not kept', async () => {
    const tenants = open()
    expect(tenants.find('acme')).toBeDefined()
    await makeLive(versions, 'acme', broken())
    for (let look = 0; look < 3; look += 1) {
      expect(() => tenants.find('acme')).toThrow(TenantUnavailable)
      expect(() => tenants.describe('acme')).toThrow(TenantUnavailable)
    }
    expect(faults.map(({ tenant }) => tenant)).toEqual(['acme'])
    const [told] = faults
    expect(told?.fault).toBeInstanceOf(VersionUnusable)
    expect(told?.fault).toMatchObject({ sentences: [expect.stringContaining('agents.yaml')] })
    expect(tenants.find('globex')).toBeDefined()
  })

  test('is put right by the next one', async () => {
    const tenants = open()
    await makeLive(versions, 'acme', broken())
    expect(() => tenants.find('acme')).toThrow(TenantUnavailable)
    const good = changed(({ tenant }) => {
      tenant['display_name'] = 'Acme Three'
    })
    await makeLive(versions, 'acme', good)
    expect(tenants.find('acme')?.displayName).toBe('Acme Three')
  })

  test('is tried again after a while, not at every look', async () => {
    let isBroken = true
    const tenants = open((tenant) => {
      if (isBroken) throw new Error('the disk')
      return tenant
    })
    expect(() => tenants.find('acme')).toThrow(TenantUnavailable)
    isBroken = false
    expect(() => tenants.find('acme')).toThrow(TenantUnavailable)
    expect(prepared).toHaveLength(1)
    clock.set(clock.now() + 10)
    expect(tenants.find('acme')).toBeDefined()
    expect(faults).toHaveLength(1)
  })
})
