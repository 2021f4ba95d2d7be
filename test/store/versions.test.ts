/** Versions in the embedded store: the contract, and what only it promises: several processes, crashes, bounds. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type RecordedStore as EmbeddedStore,
  type StoreOptions as EmbeddedStoreOptions,
  openEmbeddedStore,
} from '../support/embedded-store.ts'
import { aClock } from './contract.ts'
import { aHop, anActivation, aTask, aVersion } from './records.ts'
import { versionsContract } from './versions-contract.ts'
import type { VersionsOrder } from './versions-worker.ts'

let dataFolder: string
const children: ChildProcess[] = []
const stores: EmbeddedStore[] = []

beforeEach(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'actchain-versions-'))
})
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
  for (const child of children.splice(0)) await kill(child)
  await rm(dataFolder, { recursive: true, force: true })
})

async function openHere(options: Partial<EmbeddedStoreOptions> = {}): Promise<EmbeddedStore> {
  const store = await openEmbeddedStore({ dataFolder, clock: aClock(), ...options })
  stores.push(store)
  return store
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

async function startWorker(): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'versions-worker.ts'), [dataFolder], {
    execArgv: ['--conditions=actchain:source'],
  })
  children.push(child)
  await once(child, 'message')
  return child
}

async function ask<Result>(child: ChildProcess, order: VersionsOrder): Promise<Result> {
  const answer = once(child, 'message')
  child.send(order)
  const [message] = (await answer) as [{ readonly result: Result }]
  return message.result
}

versionsContract('embedded store: versions', async (clock) =>
  openEmbeddedStore({ dataFolder, clock }),
)

describe('two processes', () => {
  test('of activations that saw the same version live, exactly one wins', async () => {
    const store = await openHere()
    const [one, other] = await Promise.all([startWorker(), startWorker()])
    let expected: string | undefined
    for (let round = 0; round < 10; round += 1) {
      const mine = [`one-${round}`, `other-${round}`]
      for (const version of mine) await store.versions.add('acme', aVersion(version))
      const results = await Promise.all([
        ask<string>(one, { kind: 'activate', version: `one-${round}`, expected }),
        ask<string>(other, { kind: 'activate', version: `other-${round}`, expected }),
      ])
      expect(results.toSorted()).toEqual(['activated', 'conflict'])
      const won = mine[results.indexOf('activated')]
      expect(store.versions.live('acme')).toMatchObject({ revision: round + 1, version: won })
      expected = won
    }
  })

  test('E09 what one process changed is the next thing the other reads', async () => {
    const store = await openHere()
    const worker = await startWorker()
    for (let round = 1; round <= 20; round += 1) {
      await store.versions.setDisabled('acme', `agent-${round}`, {
        disabled: true,
        expected: undefined,
      })
      const seen = await ask<{ revision: number; disabled: readonly string[] }>(worker, {
        kind: 'live',
      })
      expect(seen.revision).toBe(round)
      expect(seen.disabled).toContain(`agent-${round}`)
    }
  })
})

describe('crash', () => {
  test('a process killed while it activates leaves one whole version live, and all it acknowledged', async () => {
    let acknowledged = 0
    for (let kills = 0; kills < 8; kills += 1) {
      const worker = await startWorker()
      const enough = Promise.withResolvers<void>()
      let left = 1 + Math.floor(Math.random() * 20) // where in its work it dies
      worker.on('message', (revision: number) => {
        acknowledged = Math.max(acknowledged, revision)
        left -= 1
        if (left === 0) enough.resolve()
      })
      worker.send({ kind: 'work' } satisfies VersionsOrder)
      await enough.promise
      await kill(worker)
      const store = await openHere()
      const { revision, version, registeredAt } = store.versions.live('acme')
      expect(revision).toBeGreaterThanOrEqual(acknowledged)
      const live = store.versions.find('acme', version ?? '')
      expect(live?.compiled).toBe(`compiled ${version}`.repeat(20_000))
      // Each activation swapped the agents: who came is marked, who went is not, in the same commit.
      if (revision > 2) expect([...registeredAt.keys()]).toEqual([`agent-${revision % 2}`])
    }
    expect(acknowledged).toBeGreaterThan(8)
  }, 120_000) // eight processes, one after another

  test('hot state the machine went down on is set aside; versions and who is disabled stay', async () => {
    const dead = await openHere({ boot: 'boot-1' })
    await dead.tasks.openTask('acme', aTask(), aHop())
    await dead.versions.add('acme', aVersion('v1'))
    await dead.versions.activate('acme', anActivation('v1'))
    await dead.versions.setDisabled('acme', 'coder', { disabled: true, expected: undefined })
    const lost: string[] = []
    const again = await openHere({ boot: 'boot-2', onLost: (folder) => void lost.push(folder) })
    expect(lost).toHaveLength(1)
    expect(await again.tasks.findHop('acme', 'task-1', 'first')).toBeUndefined()
    expect(again.versions.live('acme')).toMatchObject({
      revision: 2,
      version: 'v1',
      disabledAgents: new Set(['coder']),
    })
    expect(again.versions.find('acme', 'v1')).toEqual(aVersion('v1'))
  })
})

describe('bounds', () => {
  test('M05 a full store takes no further version, and still disables and activates', async () => {
    const roomy = await openHere()
    await roomy.versions.add('acme', aVersion('v1'))
    const store = await openHere({ maxBytes: 1 })
    await expect(store.versions.add('acme', aVersion('v2'))).rejects.toThrow('full')
    expect(await store.versions.activate('acme', anActivation('v1'))).toBe('activated')
    const change = { disabled: true, expected: undefined }
    expect(await store.versions.setDisabled('acme', 'coder', change)).toBe('changed')
  })
})
