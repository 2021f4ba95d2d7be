/**
 * A second server process for the store's tests: opens the folder it is given and does what its parent asks for, or
 * records hops until it is killed, printing each only once it is acknowledged.
 */
import { randomUUID } from 'node:crypto'
import type { Revocation } from '../../server/use-cases/ports.ts'
import { openEmbeddedStore } from '../support/embedded-store.ts'
import { aHop, anEnding, aTask, limits, NOW } from './records.ts'

export type Order =
  | { readonly kind: 'claim'; readonly count: number; readonly id: readonly string[] }
  | { readonly kind: 'allocate'; readonly count: number; readonly list: string }
  | {
      readonly kind: 'record'
      readonly count: number
      readonly parent: string
      readonly prefix: string
    }
  | { readonly kind: 'end'; readonly txns: readonly string[] }
  | { readonly kind: 'watch' }
  | { readonly kind: 'walk'; readonly revocation: Revocation }
  | { readonly kind: 'work' }

const [, , dataFolder = ''] = process.argv
const store = await openEmbeddedStore({ dataFolder, clock: { now: () => NOW } })

/** One exchange after another, as the server does them: record, entry, then the answer. */
async function workUntilKilled(): Promise<never> {
  const txn = `work-${randomUUID()}`
  const list = store.statusIndexes.listAt('acme', NOW)
  const entry = {
    time: NOW,
    ref: 'r'.repeat(300),
    tenant: 'acme',
    tenant_version: 'v',
    event: 'token',
    outcome: 'permit',
    txn,
  } as const
  const acknowledge = async (jti: string): Promise<void> => {
    await store.audit.append({ ...entry, jti })
    process.send?.({ txn, jti })
    void store.tasks.settleHop('acme', txn, jti)
  }
  const first = aHop({ jti: 'first', idx: await store.statusIndexes.allocate('acme', list) })
  await store.tasks.openTask('acme', aTask({ txn, list }), first)
  await acknowledge('first')
  for (;;) {
    const many = Array.from({ length: 8 }, async () => {
      const jti = randomUUID()
      const idx = await store.statusIndexes.allocate('acme', list)
      const hop = aHop({ jti, idx, parent: 'first' })
      const all = limits({ tokensPerPlace: 1e6, tokensPerTask: 1e6 })
      const outcome = await store.tasks.recordHop('acme', txn, hop, all)
      if (outcome !== 'recorded') throw new Error(outcome)
      await acknowledge(jti)
    })
    await Promise.all(many)
  }
}

/** A revocation as the server does it, telling of each task until it is killed. */
async function walk(revocation: Revocation): Promise<void> {
  await store.tasks.beginRevocation('acme', revocation)
  for (let after: string | undefined; ; ) {
    const txns = await store.tasks.liveTasks('acme', { now: NOW, after, limit: 16 })
    if (txns.length === 0) break
    for (const txn of txns) {
      const { tasks, places } = await store.tasks.revokeIn('acme', txn, revocation)
      process.send?.({ txn, reached: tasks + places })
    }
    after = txns.at(-1)
  }
  await store.tasks.finishRevocation('acme', revocation.id)
}

async function obey(order: Order): Promise<unknown> {
  switch (order.kind) {
    case 'claim': {
      const claim = {
        tenant: 'acme',
        kind: 'dpop_proof',
        id: order.id,
        expiresAt: NOW + 60,
      } as const
      const claims = Array.from({ length: order.count }, () => store.replay.claimReplay(claim))
      return Promise.all(claims)
    }
    case 'allocate': {
      const { list } = order
      const some = Array.from({ length: order.count }, () =>
        store.statusIndexes.allocate('acme', list),
      )
      return Promise.all(some)
    }
    case 'record': {
      const some = Array.from({ length: order.count }, (_, each) =>
        store.tasks.recordHop(
          'acme',
          'task-1',
          aHop({ jti: `${order.prefix}${each}`, parent: order.parent, place: `p/${each}` }),
          limits({ tokensPerTask: 60 }),
        ),
      )
      return Promise.all(some)
    }
    case 'end':
      return Promise.all(
        order.txns.map((txn) => store.tasks.endTask('acme', txn, 'revoked', anEnding())),
      )
    case 'watch':
      return {
        sequence: store.statusLists.sequence('acme'),
        lists: store.statusLists.lists('acme'),
      }
    case 'walk':
      return walk(order.revocation)
    case 'work':
      return workUntilKilled()
  }
}

process.on('message', (order: Order) => {
  void obey(order).then((result) => process.send?.({ result }))
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
