/** What any store must do with versions and live state of tenants: run against every implementation of the port. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NO_KEYS, type SigningKeys } from '../../server/core/key-plan.ts'
import { MOST_VERSIONS } from '../../server/use-cases/ports.ts'
import { aClock, type ContractStore, HOSTILE, type OpenStore } from './contract.ts'
import { anActivation, aSigningKey, aVersion, NOW } from './records.ts'

export function versionsContract(name: string, open: OpenStore): void {
  describe(name, () => {
    let store: ContractStore
    beforeEach(async () => {
      store = await open(aClock())
    })
    afterEach(async () => {
      await store.close()
    })
    const add = async (...versions: readonly string[]): Promise<void> => {
      for (const version of versions) await store.versions.add('acme', aVersion(version))
    }
    const activate = (version: string, parts: Parameters<typeof anActivation>[1] = {}) =>
      store.versions.activate('acme', anActivation(version, parts))
    const disable = (agent: string, disabled = true, expected?: number) =>
      store.versions.setDisabled('acme', agent, { disabled, expected })

    test('a tenant nothing was said of has revision 0 and the version of its folder', () => {
      expect(store.versions.revision('acme')).toBe(0)
      expect(store.versions.live('acme')).toEqual({
        revision: 0,
        version: undefined,
        disabledAgents: new Set(),
        registeredAt: new Map(),
        signingKeys: NO_KEYS,
      })
      expect(store.versions.tenants()).toEqual([])
      expect(store.versions.list('acme')).toEqual([])
      expect(store.versions.find('acme', 'v1')).toBeUndefined()
    })

    test('a version is found as it was added, several megabytes of it too', async () => {
      const text = `${'é'.repeat(2_000_000)}\u2028\0`
      const files = { 'agents.yaml': text, 'policies/a.cedar': '' }
      const large = aVersion('v1', { note: 'large', sources: files, compiled: text })
      expect(await store.versions.add('acme', large)).toBe(true)
      expect(store.versions.find('acme', 'v1')).toEqual(large)
      expect(store.versions.find('acme', 'v2')).toBeUndefined()
      expect(store.versions.find('globex', 'v1')).toBeUndefined()
    })

    test('the same content is added once, and stays with who added it first', async () => {
      await add('v1')
      const again = aVersion('v1', { author: 'idp:mallory', compiled: 'another' })
      expect(await store.versions.add('acme', again)).toBe(false)
      expect(store.versions.find('acme', 'v1')).toEqual(aVersion('v1'))
    })

    test('adding changes nothing that is live', async () => {
      await add('v1')
      expect(store.versions.revision('acme')).toBe(0)
      expect(store.versions.tenants()).toEqual([])
    })

    test('versions are listed newest first, those of one second too, with their last activation', async () => {
      await add('v2', 'v1', 'v3')
      await activate('v1', { by: 'idp:alice', at: NOW + 5 })
      const never = { activatedAt: undefined, activatedBy: undefined }
      const plain = { author: 'operator', createdAt: NOW, note: undefined }
      expect(store.versions.list('acme')).toEqual([
        { version: 'v3', ...plain, ...never },
        { version: 'v1', ...plain, activatedAt: NOW + 5, activatedBy: 'idp:alice' },
        { version: 'v2', ...plain, ...never },
      ])
    })

    test('an activated version is live, and the revision another', async () => {
      await add('v1', 'v2')
      expect(await activate('v1')).toBe('activated')
      expect(store.versions.live('acme')).toMatchObject({ revision: 1, version: 'v1' })
      expect(await activate('v2', { expected: 'v1' })).toBe('activated')
      expect(store.versions.live('acme')).toMatchObject({ revision: 2, version: 'v2' })
      expect(store.versions.tenants()).toEqual(['acme'])
    })

    test('an unknown version is never live', async () => {
      expect(await activate('v1')).toBe('version_unknown')
      expect(store.versions.revision('acme')).toBe(0)
    })

    test('whoever saw another version live changes nothing', async () => {
      await add('v1', 'v2')
      expect(await activate('v1', { expected: 'v2' })).toBe('conflict')
      await activate('v1')
      for (const expected of [undefined, 'v2', '']) {
        expect(await activate('v2', { expected, agentsBefore: ['coder'] })).toBe('conflict')
      }
      expect(store.versions.live('acme')).toMatchObject({ revision: 1, version: 'v1' })
    })

    test('activating what is live already is done, and no change', async () => {
      await add('v1')
      await activate('v1')
      expect(await activate('v1', { expected: 'v1', at: NOW + 9 })).toBe('activated')
      expect(store.versions.revision('acme')).toBe(1)
      expect(store.versions.list('acme')[0]?.activatedAt).toBe(NOW)
    })

    test('of parallel activations that saw the same, exactly one wins', async () => {
      const names = Array.from({ length: 20 }, (_, each) => `v${each}`)
      await add(...names)
      const results = await Promise.all(names.map((version) => activate(version)))
      expect(results.filter((result) => result === 'activated')).toHaveLength(1)
      expect(store.versions.revision('acme')).toBe(1)
    })

    test('K03 signing keys are what somebody made them, by whoever saw what was there, and by nobody else', async () => {
      await add('v1')
      await activate('v1')
      await disable('coder')
      const first = { revision: 0, keys: [aSigningKey()], killed: [] }
      const set = (keys: SigningKeys) => store.versions.setSigningKeys('acme', keys)
      const set3 = await Promise.all([1, 2, 3].map(() => set(first)))
      expect(set3.toSorted()).toEqual(['changed', 'conflict', 'conflict'])
      expect(store.versions.live('acme')).toEqual({
        revision: 3,
        version: 'v1',
        disabledAgents: new Set(['coder']),
        registeredAt: new Map(),
        signingKeys: { ...first, revision: 1 },
      })
      expect(store.versions.live('globex').signingKeys).toEqual(NO_KEYS)
      expect(await set({ ...first, revision: 2 })).toBe('conflict')
      await disable('coder', false)
      const killed = { number: 1, kid: 'key-1', keeper: 'sealed' } as const
      const second = { revision: 1, keys: [aSigningKey({ number: 2 })], killed: [killed] }
      expect(await set(second)).toBe('changed')
      const { revision, signingKeys } = store.versions.live('acme')
      expect([revision, signingKeys]).toEqual([5, { ...second, revision: 2 }])
    })

    test('a number of a key is handed out once, and changes nothing that is live', async () => {
      const numbers = await Promise.all(
        Array.from({ length: 20 }, () => store.versions.reserveKeyNumber('acme')),
      )
      expect(numbers.toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 20 }, (_, at) => at + 1),
      )
      expect(await store.versions.reserveKeyNumber('globex')).toBe(1)
      expect(store.versions.revision('acme')).toBe(0)
    })

    test('E09 an agent disabled by hand stays so through versions, until it is enabled by hand', async () => {
      await add('v1', 'v2')
      expect(await disable('coder')).toBe('changed')
      expect(store.versions.live('acme')).toMatchObject({ revision: 1, version: undefined })
      expect(store.versions.tenants()).toEqual([])
      const agents = { agentsBefore: ['coder'], agentsAfter: ['coder'] }
      await activate('v1', agents)
      await activate('v2', { expected: 'v1', ...agents })
      expect(store.versions.live('acme').disabledAgents).toEqual(new Set(['coder']))
      expect(await disable('coder', false)).toBe('changed')
      expect(store.versions.live('acme')).toMatchObject({
        revision: 4,
        version: 'v2',
        disabledAgents: new Set(),
      })
    })

    test('E09 an agent that is removed and comes back is still disabled', async () => {
      await add('v1', 'v2')
      await disable('coder')
      await activate('v1', { agentsBefore: ['coder'] })
      await activate('v2', { expected: 'v1', agentsAfter: ['coder'] })
      expect(store.versions.live('acme').disabledAgents).toEqual(new Set(['coder']))
    })

    test('disabling who is disabled is done, and no change', async () => {
      await disable('coder')
      expect(await disable('coder')).toBe('changed')
      expect(await disable('planner', false)).toBe('changed')
      expect(store.versions.revision('acme')).toBe(1)
    })

    test('whoever saw another revision disables nobody', async () => {
      expect(await disable('coder', true, 1)).toBe('conflict')
      expect(await disable('coder', true, 0)).toBe('changed')
      expect(await disable('coder', false, 0)).toBe('conflict')
      expect(store.versions.live('acme').disabledAgents).toEqual(new Set(['coder']))
    })

    test('parallel disablings are all kept', async () => {
      const agents = Array.from({ length: 30 }, (_, each) => `agent-${each}`)
      await Promise.all(agents.map((agent) => disable(agent)))
      expect(store.versions.live('acme')).toMatchObject({
        revision: 30,
        disabledAgents: new Set(agents),
      })
    })

    test('E10 who bears the id of an agent that was removed is registered since then', async () => {
      await add('v1', 'v2', 'v3', 'v4')
      const both = ['coder', 'planner']
      await activate('v1', { agentsBefore: both, agentsAfter: ['planner', 'writer'], at: NOW })
      expect(store.versions.live('acme').registeredAt).toEqual(new Map())
      const third = { agentsBefore: ['planner', 'writer'], agentsAfter: both, at: NOW + 60 }
      await activate('v2', { expected: 'v1', ...third })
      expect(store.versions.live('acme').registeredAt).toEqual(new Map([['coder', NOW + 60]]))
      // As long as it stays, it is the same one.
      await activate('v3', {
        expected: 'v2',
        agentsBefore: both,
        agentsAfter: both,
        at: NOW + 120,
      })
      expect(store.versions.live('acme').registeredAt).toEqual(new Map([['coder', NOW + 60]]))
      await activate('v4', { expected: 'v3', agentsBefore: both, agentsAfter: ['reader'] })
      expect(store.versions.live('acme').registeredAt).toEqual(new Map())
      const last = { agentsBefore: ['reader'], agentsAfter: [...both, 'reader'], at: NOW + 180 }
      await activate('v1', { expected: 'v4', ...last })
      expect(store.versions.live('acme').registeredAt).toEqual(
        new Map([
          ['coder', NOW + 180],
          ['planner', NOW + 180],
        ]),
      )
    })

    test('E10 a refused activation retires nobody', async () => {
      await add('v1', 'v2')
      await activate('v2', { expected: 'v1', agentsBefore: ['coder'] })
      await activate('v3', { agentsBefore: ['coder'] })
      await activate('v1', { agentsAfter: ['coder'] })
      expect(store.versions.live('acme').registeredAt).toEqual(new Map())
    })

    test('a tenant has so many versions: the first added goes, the live one never', async () => {
      const names = Array.from({ length: MOST_VERSIONS + 2 }, (_, index) => `v${index}`)
      const [first = '', second = '', third = ''] = names
      await add(first)
      await activate(first)
      await add(...names.slice(1))
      const kept = store.versions.list('acme').map(({ version }) => version)
      expect(kept).toEqual([...names.slice(3).toReversed(), first])
      for (const gone of [second, third]) {
        expect(store.versions.find('acme', gone)).toBeUndefined()
        expect(await activate(gone, { expected: first })).toBe('version_unknown')
      }
      expect(store.versions.find('acme', first)?.version).toBe(first)
    })

    test('F06 F04 versions, live state and agents of one tenant are nothing to another', async () => {
      const names = [...new Set(HOSTILE)]
      for (const [each, tenant] of names.entries()) {
        await store.versions.add(tenant, aVersion('v1', { compiled: `of ${each}` }))
        await store.versions.add('acme', aVersion(tenant, { compiled: `named ${each}` }))
        await store.versions.setDisabled(tenant, tenant, { disabled: true, expected: 0 })
        const activation = anActivation('v1', { agentsBefore: [tenant] })
        expect(await store.versions.activate(tenant, activation)).toBe('activated')
      }
      expect(new Set(store.versions.tenants())).toEqual(new Set(names))
      expect(store.versions.list('acme')).toHaveLength(names.length)
      expect(store.versions.revision('acme')).toBe(0)
      for (const [each, tenant] of names.entries()) {
        expect(store.versions.list(tenant)).toHaveLength(1)
        expect(store.versions.find(tenant, 'v1')?.compiled).toBe(`of ${each}`)
        expect(store.versions.find('acme', tenant)?.compiled).toBe(`named ${each}`)
        expect(store.versions.live(tenant)).toEqual({
          revision: 2,
          version: 'v1',
          disabledAgents: new Set([tenant]),
          registeredAt: new Map(),
          signingKeys: NO_KEYS,
        })
      }
    })
  })
}
