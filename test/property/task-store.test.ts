/**
 * The embedded store and the one in memory, which is short enough to be read, do the same with any sequence of verbs: each
 * answer, each record, each status a verifier reads, the count of changes.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StatusLists, TaskStore } from '../../server/use-cases/ports.ts'
import {
  aHop,
  anEnding,
  aQuery,
  aRevocation,
  aTask,
  limits,
  NOW,
  statusIn,
} from '../store/records.ts'
import {
  type RecordedStore as EmbeddedStore,
  openEmbeddedStore,
} from '../support/embedded-store.ts'
import { type MemoryStore, openMemoryStore } from '../support/memory-store.ts'
import { AGENTS, BEGIN, type Command, command, LISTS, SUBJECTS, TXNS } from './task-commands.ts'

const RUNS = 700
/** Seconds tasks last and tokens live: some end within a sequence. */
const LIFETIME = 40

interface Store {
  readonly tasks: TaskStore
  readonly statusLists: StatusLists
}

/** One sequence over one store. Both walk it alike: what a command refers to is found by what was asked for before. */
class Walk {
  readonly #store: Store
  readonly #tenant: string
  readonly #begin: number
  readonly #places = new Map<string, { readonly jti: string; readonly place: string }[]>()
  #now = NOW
  #made = 0

  constructor(store: Store, tenant: string) {
    this.#store = store
    this.#tenant = tenant
    this.#begin = store.statusLists.sequence(tenant)
  }

  #hop(of: string, each: number): { readonly jti: string; readonly place: string } {
    const hops = this.#places.get(of) ?? []
    return hops[Math.max(0, each) % Math.max(1, hops.length)] ?? { jti: 'nobody', place: 'nobody' }
  }

  #newest(of: string, each: number): { readonly jti: string; readonly place: string } {
    return this.#hop(of, (this.#places.get(of)?.length ?? 0) - 1 - each)
  }

  async run(command: Command): Promise<unknown> {
    const { tasks } = this.#store
    const tenant = this.#tenant
    const ending = anEnding({ at: this.#now, reason: command.verb })
    switch (command.verb) {
      case 'wait':
        this.#now += command.seconds
        return undefined
      case 'open':
        return this.#open(command)
      case 'record':
        return this.#record(command)
      case 'revokeHop':
        return tasks.revokeHop(tenant, command.txn, this.#newest(command.txn, command.newest).jti)
      case 'revokePlace': {
        const place = this.#newest(command.txn, command.newest).place.split('/')
        const cut = place.slice(0, Math.max(1, place.length - command.cut)).join('/')
        return tasks.revokePlace(tenant, command.txn, cut, ending)
      }
      case 'end':
        return tasks.endTask(tenant, command.txn, command.state, ending)
      case 'resume':
        return tasks.resumeTask(tenant, command.txn, ending)
      case 'revokeIn': {
        const then = { ...ending, at: this.#now - command.before }
        return tasks.revokeIn(tenant, command.txn, aRevocation(command.scope, { ending: then }))
      }
    }
  }

  async #open({ txn: id, token, ...parts }: Extract<Command, { verb: 'open' }>): Promise<unknown> {
    this.#made += 2
    const jti = `hop-${this.#made}`
    const { opener, subject, type, list } = parts
    const task = aTask({
      txn: id,
      opener,
      subject,
      type,
      list,
      rootIdx: this.#made,
      openedAt: this.#now,
      deadline: this.#now + LIFETIME,
      subjectToken: token === undefined ? undefined : { id: ['idp', token], expiresAt: NOW + 600 },
    })
    const first = aHop({ jti, idx: this.#made + 1, place: opener, ...this.#times() })
    try {
      const outcome = await this.#store.tasks.openTask(this.#tenant, task, first)
      if (outcome === 'opened') this.#places.set(id, [{ jti, place: opener }])
      return outcome
    } catch (fault) {
      return String(fault)
    }
  }

  async #record(command: Extract<Command, { verb: 'record' }>): Promise<unknown> {
    this.#made += 2
    const jti = `hop-${this.#made}`
    const parent = this.#hop(command.txn, command.parent)
    const place = command.to === undefined ? parent.place : `${parent.place}/${command.to}`
    const made = aHop({ jti, idx: this.#made, parent: parent.jti, place, ...this.#times() })
    const bounds = limits({ now: this.#now, tokensPerPlace: command.limit, tokensPerTask: 9 })
    const outcome = await this.#store.tasks.recordHop(this.#tenant, command.txn, made, bounds)
    if (outcome === 'recorded') this.#places.get(command.txn)?.push({ jti, place })
    return outcome
  }

  #times() {
    return { issuedAt: this.#now, expiresAt: this.#now + LIFETIME }
  }

  /** All that can be seen of the tenant. */
  async see(): Promise<unknown> {
    const { tasks, statusLists } = this.#store
    const tenant = this.#tenant
    const trees = TXNS.map(async (id) => {
      const tree = await tasks.readTask(tenant, id)
      const hops = tree?.hops.toSorted((a, b) => (a.jti < b.jti ? -1 : 1))
      const places = tree?.revokedPlaces.toSorted((a, b) => (a.place < b.place ? -1 : 1))
      return { task: tree?.task, hops, places }
    })
    const relative = (at: number | undefined) =>
      at === undefined || at === 0 ? at : at - this.#begin
    const known = new Set(statusLists.lists(tenant).map(({ id }) => id))
    const lists = LISTS.filter((id) => known.has(id)).map((id) => ({
      id,
      changedAt: relative(statusLists.read(tenant, id)?.changedAt),
      statuses: Array.from({ length: this.#made + 2 }, (_, idx) =>
        statusIn(statusLists, idx, id, tenant),
      ),
    }))
    const now = this.#now
    const queries = [
      ...[undefined, 'open', 'suspended', 'closed', 'revoked', 'expired'].map((state) => ({
        state,
      })),
      ...AGENTS.flatMap((id) => [{ agent: id }, { opener: id }]),
      ...SUBJECTS.map((subject) => ({ subject, limit: 1 })),
    ].map((parts) => tasks.listTasks(tenant, aQuery({ now, limit: 2, ...parts } as never)))
    return {
      trees: await Promise.all(trees),
      lists,
      sequence: relative(statusLists.sequence(tenant)),
      live: await tasks.liveTasks(tenant, { now, after: undefined, limit: 10 }),
      pages: await Promise.all(queries),
    }
  }
}

let folder: string
let embedded: EmbeddedStore
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'actchain-model-'))
  embedded = await openEmbeddedStore({ dataFolder: folder, clock: { now: () => NOW } })
})
afterAll(async () => {
  await embedded.close()
  rmSync(folder, { recursive: true, force: true })
})

test('H01 D07 any sequence of verbs ends in both stores alike', async () => {
  let runs = 0
  const answers = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { minLength: 10, maxLength: 60, size: 'max' }),
      async (commands) => {
        const memory: MemoryStore = openMemoryStore({ now: () => NOW })
        runs += 1
        const walks = [new Walk(embedded, `tenant-${runs}`), new Walk(memory, 'tenant')] as const
        for (const each of [BEGIN, ...commands]) {
          const [one, other] = [await walks[0].run(each), await walks[1].run(each)]
          expect(one, JSON.stringify(each)).toEqual(other)
          const answer = `${each.verb} ${JSON.stringify(one)}`
          answers.set(answer, (answers.get(answer) ?? 0) + 1)
        }
        expect(await walks[0].see()).toEqual(await walks[1].see())
      },
    ),
    { numRuns: RUNS },
  )
  // Chance came to each answer there is.
  for (const answer of [
    'open "opened"',
    'open "subject_token_spent"',
    'record "recorded"',
    'record "task_unknown"',
    'record "task_ended"',
    'record "task_suspended"',
    'record "parent_revoked"',
    'record "place_revoked"',
    'record "place_full"',
    'record "task_full"',
    'revokePlace "revoked"',
    'revokePlace "already"',
    'revokePlace "unknown"',
    'end "already"',
    'resume "resumed"',
    'revokeIn {"tasks":1,"places":0}',
    'revokeIn {"tasks":0,"places":1}',
    'revokeIn {"tasks":0,"places":0}',
  ]) {
    expect(answers.get(answer) ?? 0, answer).toBeGreaterThan(0)
  }
}, 120_000)
