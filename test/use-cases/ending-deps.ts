/** What use cases that end something need, over a store in memory: planner, researcher and coder in a task, and ports that fail. */

import type { Tenant } from '../../server/core/tenant.ts'
import type { Author, AuthorRole } from '../../server/use-cases/author.ts'
import { DecisionRecord } from '../../server/use-cases/decision-record.ts'
import type { AuditEntry, TaskStore } from '../../server/use-cases/ports.ts'
import type { RevokeEverywhereDeps } from '../../server/use-cases/revoke-everywhere.ts'
import type { SecurityEvent } from '../../server/use-cases/security-events.ts'
import { aTenant, NOW } from '../core/facts.ts'
import { aHop, aTask } from '../store/records.ts'
import { auditLogOf } from '../support/embedded-store.ts'
import { type MemoryStore, openMemoryStore } from '../support/memory-store.ts'

export interface EndingStage {
  readonly store: MemoryStore
  readonly deps: RevokeEverywhereDeps
  readonly entries: AuditEntry[]
  readonly events: SecurityEvent[]
  /** Names of the store's verbs as they were called. */
  readonly called: string[]
  /** Verbs of the store, `append`, `journal` (where neither log nor journal take an ending) and `emit`, that fail from now on. */
  fail(...verbs: readonly string[]): void
  tenant: Tenant
  now: number
  pauses: number
}

/** With a receiver of events, so that everything that would be told is. */
export function endingStage(tenant: Tenant = withReceiver(aTenant())): EndingStage {
  const failing = new Set<string>()
  const failOn = (verb: string): void => {
    if (failing.has(verb)) throw new Error(`${verb} failed`)
  }
  const clock = { now: () => stage.now }
  const store = openMemoryStore(clock)
  const called: string[] = []
  const tasks = new Proxy<TaskStore>(store.tasks, {
    get: (target, name) => {
      const verb: unknown = Reflect.get(target, name)
      if (typeof verb !== 'function') return verb
      return async (...input: readonly unknown[]) => {
        called.push(String(name))
        failOn(String(name))
        return verb.apply(target, input)
      }
    },
  })
  let ids = 0
  const stage: EndingStage = {
    store,
    entries: [],
    events: [],
    called,
    tenant,
    now: NOW,
    pauses: 0,
    fail: (...verbs) => {
      failing.clear()
      for (const verb of verbs) failing.add(verb)
    },
    deps: {
      clock,
      tasks,
      tenants: { find: (id) => (id === stage.tenant.id ? stage.tenant : undefined) },
      audit: {
        ...auditLogOf(async (entry) => {
          failOn('append')
          stage.entries.push(entry)
        }),
        appendRevocation: async (entry) => {
          failOn('journal')
          stage.entries.push(entry)
        },
      },
      securityEvents: {
        emit: async (_, event) => {
          failOn('emit')
          stage.events.push(event)
        },
      },
      randomId: () => `id-${(ids += 1)}`,
      pause: async () => {
        stage.pauses += 1
      },
    },
  }
  return stage
}

export function withReceiver(tenant: Tenant): Tenant {
  const receiver = {
    id: 'siem',
    keys: [],
    binding: 'dpop',
    pushEndpoints: new Set<string>(),
  } as const
  return { ...tenant, eventReceivers: new Map([['siem', receiver]]) }
}

/** Of alice, opened by planner; researcher beneath, coder beneath and beside. */
export async function aTree(
  { store }: EndingStage,
  txn: string,
  parts: Parameters<typeof aTask>[0] = {},
) {
  const task = aTask({
    txn,
    type: 'file-work',
    openedAt: NOW,
    deadline: NOW + 900,
    rootIdx: await index(store),
    rootJti: `${txn}-root`,
    subjectToken: { id: ['idp', txn], expiresAt: NOW + 600 },
    ...parts,
  })
  const hop = async (jti: string, place: string, parent: string) => {
    const holder = place.split('/').at(-1) ?? ''
    return aHop({ jti: `${txn}-${jti}`, idx: await index(store), parent, place, holder })
  }
  const first = await hop('1', task.opener, task.rootJti)
  await store.tasks.openTask('acme', task, first)
  const limits = { now: NOW, tokensPerPlace: 64, tokensPerTask: 256 }
  for (const [jti, place, parent] of [
    ['2', `${task.opener}/researcher`, '1'],
    ['3', `${task.opener}/researcher/coder`, '2'],
    ['4', `${task.opener}/coder`, '1'],
  ] as const) {
    await store.tasks.recordHop('acme', txn, await hop(jti, place, `${txn}-${parent}`), limits)
  }
  return task
}

function index(store: MemoryStore): Promise<number> {
  return store.statusIndexes.allocate('acme', 'g1-1')
}

export function authorOf(role: AuthorRole, id: string): Author {
  const name = role === 'subject' ? `idp:${id}` : `${role}:${id}`
  return { name, id, roles: [role], tenant: 'acme', credential: 'token-1', boundBy: 'dpop' }
}

export function aRecord(): DecisionRecord {
  const header = { ref: 'ref-1', tenant: 'acme', tenant_version: 'v1' }
  return new DecisionRecord({ ...header, event: 'task' })
}

/** Places of each task that still count, by the tasks' ids. */
export async function livePlaces({ store }: EndingStage, txn: string): Promise<readonly string[]> {
  const tree = await store.tasks.readTask('acme', txn)
  if (tree === undefined || tree.task.state !== 'open') return []
  return tree.hops.filter(({ revoked }) => !revoked).map(({ place }) => place)
}
