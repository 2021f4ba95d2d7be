/**
 * A second server process for the tests of versions: opens the folder it is given and does what its parent asks for, or
 * activates one version after another until it is killed, telling each only once it is acknowledged.
 */
import { openEmbeddedStore } from '../support/embedded-store.ts'
import { anActivation, aVersion, NOW } from './records.ts'

export type VersionsOrder =
  | {
      readonly kind: 'activate'
      readonly version: string
      readonly expected: string | undefined
    }
  | { readonly kind: 'live' }
  | { readonly kind: 'work' }

const [, , dataFolder = ''] = process.argv
const { versions } = await openEmbeddedStore({ dataFolder, clock: { now: () => NOW } })

async function workUntilKilled(): Promise<never> {
  for (;;) {
    const { revision, version: expected } = versions.live('acme')
    const version = `v${revision + 1}`
    const compiled = `compiled ${version}`.repeat(20_000)
    await versions.add('acme', aVersion(version, { compiled }))
    const activation = anActivation(version, {
      expected,
      agentsBefore: [`agent-${revision % 2}`],
      agentsAfter: [`agent-${(revision + 1) % 2}`],
    })
    const outcome = await versions.activate('acme', activation)
    if (outcome !== 'activated') throw new Error(outcome)
    process.send?.(revision + 1)
    // Messages leave between two turns of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function obey(order: VersionsOrder): Promise<unknown> {
  switch (order.kind) {
    case 'activate': {
      const { version, expected } = order
      return versions.activate('acme', anActivation(version, { expected }))
    }
    case 'live': {
      const { revision, disabledAgents } = versions.live('acme')
      return { revision, disabled: [...disabledAgents] }
    }
    case 'work':
      return workUntilKilled()
  }
}

process.on('message', (order: VersionsOrder) => {
  void obey(order).then((result) => process.send?.({ result }))
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
