/**
 * Tasks as they are read and walked: trees, pages, what is alive. None of it is in a transaction: what is written meanwhile
 * is seen or not. A long look lets the event loop go on.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type {
  TaskPage,
  TaskPosition,
  TaskQuery,
  TaskRecord,
  TaskTree,
} from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { findTask } from './hops.ts'
import { agesAfter, hopsOf, type KeyRange, keyAfter, tasksAfter } from './keys.ts'
import { placesOfAgent, readPlaces, type TaskAddress } from './places.ts'
import { StoredHop, StoredTask } from './records.ts'

/** A look at a page ends after so many tasks, between two seconds. */
export const TASKS_PER_LOOK = 2000
/** Read at once. */
const BATCH = 128

export function readTask(
  environment: Environment,
  tenant: string,
  txn: string,
): TaskTree | undefined {
  environment.refresh() // all of it sees one commit
  const task = findTask(environment, tenant, txn)?.read()
  if (task === undefined) return undefined
  const stored = environment.range(hopsOf(tenant, txn), Infinity)
  const hops = stored.map(({ value }) => new StoredHop(value).read())
  const revokedPlaces = readPlaces(environment, { tenant, txn }).flatMap(({ place, ending }) =>
    ending === undefined ? [] : [{ place, ending }],
  )
  return { task, hops: hops.toSorted((a, b) => a.issuedAt - b.issuedAt), revokedPlaces }
}

/** Entries of the range in key order; between batches others have their turn. */
async function* walk(environment: Environment, { start, end }: KeyRange): AsyncGenerator<Buffer> {
  for (let from = start; ; ) {
    environment.refresh()
    const entries = environment.range({ start: from, end }, BATCH)
    for (const { value } of entries) yield value
    const last = entries.at(-1)
    if (last === undefined || entries.length < BATCH) return
    from = keyAfter(last.key)
    await nextTurn()
  }
}

export async function listTasks(
  environment: Environment,
  tenant: string,
  query: TaskQuery,
): Promise<TaskPage> {
  const tasks: TaskRecord[] = []
  let looked = 0
  let second: number | undefined
  for await (const value of walk(environment, agesAfter(tenant, query.after))) {
    const [openedAt, txn] = JSON.parse(value.toString('utf8')) as readonly [number, string]
    const opened = Math.floor(openedAt)
    if (looked >= TASKS_PER_LOOK && opened !== second) {
      // Between two seconds: the last one looked at may be none of the asker's business.
      const between = second === undefined ? undefined : { openedAt: second, txn: '' }
      return { tasks, next: tasks.length < query.limit ? between : endOf(tasks) }
    }
    looked += 1
    second = opened
    const task = findMatch(environment, { tenant, txn }, query)
    if (task === undefined) continue
    if (tasks.length >= query.limit) return { tasks, next: endOf(tasks) }
    tasks.push(task)
  }
  return { tasks, next: undefined }
}

function endOf(tasks: readonly TaskRecord[]): TaskPosition | undefined {
  const last = tasks.at(-1)
  return last && { openedAt: Math.floor(last.openedAt), txn: last.txn }
}

/** The head first: most that do not match are told by it. */
function findMatch(
  environment: Environment,
  at: TaskAddress,
  query: TaskQuery,
): TaskRecord | undefined {
  const stored = findTask(environment, at.tenant, at.txn)
  if (stored === undefined || !isInState(stored, query)) return undefined
  const task = stored.read()
  const { opener, subject, agent } = query
  if (opener !== undefined && task.opener !== opener) return undefined
  if (subject !== undefined && task.subject !== subject) return undefined
  if (agent === undefined || task.opener === agent) return task
  return placesOfAgent(readPlaces(environment, at), agent).size > 0 ? task : undefined
}

function isInState(task: StoredTask, { state, now }: TaskQuery): boolean {
  if (state === undefined) return true
  const isOver = task.isOver(now)
  if (state === 'expired') return isOver && task.state !== 'closed' && task.state !== 'revoked'
  if (state === 'open' || state === 'suspended') return task.state === state && !isOver
  return task.state === state
}

export async function liveTasks(
  environment: Environment,
  tenant: string,
  look: { readonly now: number; readonly after: string | undefined; readonly limit: number },
): Promise<readonly string[]> {
  const live: string[] = []
  for await (const value of walk(environment, tasksAfter(tenant, look.after))) {
    if (live.length >= look.limit) break
    const task = new StoredTask(value)
    if (!task.isOver(look.now)) live.push(task.read().txn)
  }
  return live
}
