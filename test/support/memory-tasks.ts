/** Tasks over plain maps. One process, so a verb without an await in it is one atomic step. */
import type {
  Ending,
  HopConflict,
  HopLimits,
  HopRecord,
  Reached,
  Revocation,
  TaskPage,
  TaskQuery,
  TaskRecord,
  TaskState,
  TaskStore,
  TaskTree,
} from '../../server/use-cases/ports.ts'
import { STATUS } from '../../server/use-cases/task-store.ts'
import type { MemoryStatuses } from './memory-statuses.ts'

interface StoredTask {
  readonly tenant: string
  task: TaskRecord
  /** By `jti`, in the order they were recorded: no child comes before its parent. */
  readonly hops: Map<string, HopRecord>
  readonly revokedPlaces: Map<string, Ending>
}

/** No two lists of texts are written the same way, whatever is in them. */
const keyOf = (...parts: readonly string[]): string => JSON.stringify(parts)
const isWithin = (place: string, above: string): boolean => `${place}/`.startsWith(`${above}/`)
const second = ({ openedAt }: { readonly openedAt: number }): number => Math.floor(openedAt)
/** Shorter ids first, then by text: any order does, as long as it is one. */
const byId = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)
const ROOT_STATUS = { open: 0, suspended: 2, closed: 1, revoked: 1 } as const
const NOTHING: Reached = { tasks: 0, places: 0 }

export class MemoryTaskStore implements TaskStore {
  readonly #tasks = new Map<string, StoredTask>()
  readonly #spent = new Set<string>()
  readonly #revocations = new Map<string, { tenant: string; revocation: Revocation }>()
  readonly #statuses: MemoryStatuses

  constructor(statuses: MemoryStatuses) {
    this.#statuses = statuses
  }

  #find(tenant: string, txn: string): StoredTask | undefined {
    return this.#tasks.get(keyOf(tenant, txn))
  }

  async openTask(
    tenant: string,
    task: TaskRecord,
    hop: HopRecord,
  ): Promise<'opened' | 'subject_token_spent'> {
    if (this.#find(tenant, task.txn) !== undefined) throw new Error('the task exists already')
    const { id } = task.subjectToken ?? {}
    if (id !== undefined && this.#spent.has(keyOf(tenant, ...id))) return 'subject_token_spent'
    const hops = new Map([[hop.jti, hop]])
    this.#tasks.set(keyOf(tenant, task.txn), { tenant, task, hops, revokedPlaces: new Map() })
    this.#statuses.keep(tenant, task.list)
    return 'opened'
  }

  async recordHop(
    tenant: string,
    txn: string,
    hop: HopRecord,
    limits: HopLimits,
  ): Promise<'recorded' | HopConflict> {
    const stored = this.#find(tenant, txn)
    if (stored === undefined) return 'task_unknown'
    const { task, hops, revokedPlaces } = stored
    if (isOver(task, limits.now)) return 'task_ended'
    if (task.state === 'suspended') return 'task_suspended'
    const parent = hops.get(hop.parent)
    if (parent === undefined) return 'parent_unknown'
    if (parent.revoked) return 'parent_revoked'
    if (limits.now >= parent.expiresAt) return 'parent_expired'
    if ([...revokedPlaces.keys()].some((above) => isWithin(hop.place, above))) {
      return 'place_revoked'
    }
    const held = [...hops.values()].filter(({ place }) => place === hop.place).length
    if (held >= limits.tokensPerPlace) return 'place_full'
    if (hops.size >= limits.tokensPerTask) return 'task_full'
    if (hops.has(hop.jti)) throw new Error('a hop of this id exists already')
    hops.set(hop.jti, hop)
    return 'recorded'
  }

  async findHop(
    tenant: string,
    txn: string,
    jti: string,
  ): Promise<{ readonly task: TaskRecord; readonly hop: HopRecord } | undefined> {
    const stored = this.#find(tenant, txn)
    const hop = stored?.hops.get(jti)
    return stored === undefined || hop === undefined ? undefined : { task: stored.task, hop }
  }

  /** Nothing is pending here: there is no recovery. */
  async settleHop(): Promise<void> {}

  async readTask(tenant: string, txn: string): Promise<TaskTree | undefined> {
    const stored = this.#find(tenant, txn)
    if (stored === undefined) return undefined
    const places = [...stored.revokedPlaces].map(([place, ending]) => ({ place, ending }))
    const hops = [...stored.hops.values()].toSorted((a, b) => a.issuedAt - b.issuedAt)
    return { task: stored.task, hops, revokedPlaces: places }
  }

  async listTasks(tenant: string, query: TaskQuery): Promise<TaskPage> {
    const { after, limit } = query
    const all = [...this.#tasks.values()].filter((each) => {
      const { task } = each
      if (each.tenant !== tenant || !matches(each, query)) return false
      if (after === undefined || second(task) < after.openedAt) return true
      return after.txn !== '' && second(task) === after.openedAt && byId(task.txn, after.txn) > 0
    })
    const tasks = all.map(({ task }) => task)
    tasks.sort((a, b) => second(b) - second(a) || byId(a.txn, b.txn))
    const last = tasks[limit - 1]
    const isEnd = last === undefined || tasks.length === limit
    const next = isEnd ? undefined : { openedAt: second(last), txn: last.txn }
    return { tasks: tasks.slice(0, limit), next }
  }

  async revokeHop(tenant: string, txn: string, jti: string): Promise<boolean> {
    const stored = this.#find(tenant, txn)
    if (stored?.hops.has(jti) !== true) return false
    this.#revokeHops(stored, (hop) => hop.jti === jti)
    return true
  }

  #revokeHops({ tenant, task, hops }: StoredTask, isChosen: (hop: HopRecord) => boolean): void {
    const reached = new Set<string>()
    for (const hop of hops.values()) {
      if (isChosen(hop) || reached.has(hop.parent)) reached.add(hop.jti)
    }
    const statuses = new Map<number, number>()
    for (const hop of hops.values()) {
      if (!reached.has(hop.jti) || hop.revoked) continue
      hops.set(hop.jti, { ...hop, revoked: true })
      statuses.set(hop.idx, STATUS.invalid)
    }
    this.#statuses.write(tenant, task.list, statuses)
  }

  async revokePlace(
    tenant: string,
    txn: string,
    place: string,
    ending: Ending,
  ): Promise<'revoked' | 'already' | 'unknown'> {
    const stored = this.#find(tenant, txn)
    const isKnown = [...(stored?.hops.values() ?? [])].some((hop) => isWithin(hop.place, place))
    if (stored === undefined || !isKnown) return 'unknown'
    return this.#takeOut(stored, [place], ending) === 0 ? 'already' : 'revoked'
  }

  #takeOut(stored: StoredTask, places: readonly string[], ending: Ending): number {
    const before = [...stored.revokedPlaces.keys()]
    const taken = places.filter((place) => !before.some((above) => isWithin(place, above)))
    for (const place of taken) stored.revokedPlaces.set(place, ending)
    this.#revokeHops(stored, (hop) => taken.some((place) => isWithin(hop.place, place)))
    return taken.length
  }

  async endTask(
    tenant: string,
    txn: string,
    state: Exclude<TaskState, 'open'>,
    ending: Ending,
  ): Promise<'ended' | 'already' | 'unknown'> {
    const stored = this.#find(tenant, txn)
    return stored === undefined ? 'unknown' : this.#end(stored, state, ending)
  }

  #end(stored: StoredTask, state: Exclude<TaskState, 'open'>, ending: Ending): 'ended' | 'already' {
    const { state: before, subjectToken } = stored.task
    const isOpenTo = before === 'open' || before === 'suspended' || state === 'revoked'
    if (!isOpenTo || before === state) return 'already'
    this.#setState(stored, state, ending)
    if (state === 'revoked' && subjectToken !== undefined) {
      this.#spent.add(keyOf(stored.tenant, ...subjectToken.id))
    }
    return 'ended'
  }

  #setState(stored: StoredTask, state: TaskState, ending: Ending): void {
    stored.task = { ...stored.task, state, ending }
    const root = new Map([[stored.task.rootIdx, ROOT_STATUS[state]]])
    this.#statuses.write(stored.tenant, stored.task.list, root)
  }

  async resumeTask(
    tenant: string,
    txn: string,
    ending: Ending,
  ): Promise<'resumed' | 'not_suspended' | 'unknown'> {
    const stored = this.#find(tenant, txn)
    if (stored === undefined) return 'unknown'
    if (stored.task.state !== 'suspended') return 'not_suspended'
    this.#setState(stored, 'open', ending)
    return 'resumed'
  }

  async beginRevocation(tenant: string, revocation: Revocation): Promise<void> {
    this.#revocations.set(keyOf(tenant, revocation.id), { tenant, revocation })
  }

  async revokeIn(tenant: string, txn: string, { scope, ending }: Revocation): Promise<Reached> {
    const stored = this.#find(tenant, txn)
    if (stored === undefined || stored.task.openedAt > ending.at) return NOTHING
    const { opener, subject, type } = stored.task
    if ({ agent: opener, subject, task_type: type }[scope.kind] === scope.id) {
      const ended = this.#end(stored, 'revoked', ending)
      return ended === 'ended' ? { tasks: 1, places: 0 } : NOTHING
    }
    if (scope.kind !== 'agent') return NOTHING
    const places = new Set<string>()
    for (const { place } of stored.hops.values()) {
      const agents = place.split('/')
      const at = agents.indexOf(scope.id)
      if (at >= 0) places.add(agents.slice(0, at + 1).join('/'))
    }
    return { tasks: 0, places: this.#takeOut(stored, [...places], ending) }
  }

  async finishRevocation(tenant: string, id: string): Promise<void> {
    this.#revocations.delete(keyOf(tenant, id))
  }

  async pendingRevocations(): Promise<
    readonly { readonly tenant: string; readonly revocation: Revocation }[]
  > {
    return [...this.#revocations.values()]
  }

  async liveTasks(
    tenant: string,
    walk: { readonly now: number; readonly after: string | undefined; readonly limit: number },
  ): Promise<readonly string[]> {
    const { after, limit, now } = walk
    const all = [...this.#tasks.values()].filter((each) => each.tenant === tenant)
    const live = all.filter(({ task }) => !isOver(task, now)).map(({ task }) => task.txn)
    const rest = live.filter((txn) => after === undefined || byId(txn, after) > 0)
    return rest.toSorted(byId).slice(0, limit)
  }
}

function isOver({ state, deadline }: TaskRecord, now: number): boolean {
  return state === 'closed' || state === 'revoked' || now >= deadline
}

function matches({ task, hops }: StoredTask, query: TaskQuery): boolean {
  const { state, agent, opener, subject, now } = query
  const isFinal = task.state === 'closed' || task.state === 'revoked'
  const shown = !isFinal && isOver(task, now) ? 'expired' : task.state
  if (state !== undefined && shown !== state) return false
  if (opener !== undefined && task.opener !== opener) return false
  if (subject !== undefined && task.subject !== subject) return false
  if (agent === undefined || task.opener === agent) return true
  return [...hops.values()].some(({ place }) => place.split('/').includes(agent))
}
