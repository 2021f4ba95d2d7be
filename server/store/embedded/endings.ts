/**
 * What ends, in one transaction each: the records, and the statuses that verifiers read of them. Bounded by the tokens of a
 * task. Doing any of it again changes nothing.
 */
import { isWithin } from '../../core/place.ts'
import type { Ending, Reached, Revocation, TaskRecord, TaskState } from '../../use-cases/ports.ts'
import { STATUS } from '../../use-cases/task-store.ts'
import type { Environment } from './environment.ts'
import { findHop, findTask } from './hops.ts'
import { hopKey, hopsOf, taskKey } from './keys.ts'
import { keepList } from './list-heads.ts'
import { type KnownPlace, placesOfAgent, readPlaces, type TaskAddress, takeOut } from './places.ts'
import { type HopAddress, StoredHop, type StoredTask } from './records.ts'
import { spend } from './spent-tokens.ts'
import { writeStatuses } from './statuses.ts'

export interface PlaceEnding extends TaskAddress {
  readonly place: string
  readonly ending: Ending
}

export interface TaskEnding extends TaskAddress {
  readonly state: Exclude<TaskState, 'open'>
  readonly ending: Ending
}

const NOTHING: Reached = { tasks: 0, places: 0 }

/** The hop and everything whose parents lead to it; false if it is not recorded. */
export function revokeHop(environment: Environment, at: HopAddress): boolean {
  const task = findTask(environment, at.tenant, at.txn)
  if (task === undefined || findHop(environment, at) === undefined) return false
  revokeHops(environment, at, task, ({ jti }) => jti === at.jti)
  return true
}

/** Those that are chosen and all that was minted from them, statuses included. */
function revokeHops(
  environment: Environment,
  { tenant, txn }: TaskAddress,
  task: StoredTask,
  isChosen: (hop: { readonly jti: string; readonly place: string }) => boolean,
): void {
  const hops = new Map<string, { readonly stored: StoredHop; readonly idx: number }>()
  const children = new Map<string, string[]>()
  const reached = new Set<string>()
  for (const { value } of environment.range(hopsOf(tenant, txn), Infinity)) {
    const stored = new StoredHop(value)
    const hop = stored.read()
    hops.set(hop.jti, { stored, idx: hop.idx })
    const siblings = children.get(hop.parent)
    if (siblings === undefined) children.set(hop.parent, [hop.jti])
    else siblings.push(hop.jti)
    if (isChosen(hop)) reached.add(hop.jti)
  }
  // A set grows while it is walked; each hop is reached once, whatever its parent claims to be.
  for (const one of reached) for (const child of children.get(one) ?? []) reached.add(child)
  const statuses = new Map<number, number>()
  for (const one of reached) {
    const hop = hops.get(one)
    if (hop === undefined || hop.stored.revoked) continue
    environment.put(hopKey(tenant, txn, one), hop.stored.revoke().value)
    statuses.set(hop.idx, STATUS.invalid)
  }
  putStatuses(environment, tenant, task, statuses)
}

function putStatuses(
  environment: Environment,
  tenant: string,
  task: StoredTask,
  statuses: ReadonlyMap<number, number>,
): void {
  if (statuses.size === 0) return
  const list = { tenant, list: task.read().list }
  keepList(environment, list, task.endsAt) // it is there, unless it was begun before lists had an end
  writeStatuses(environment, list, statuses)
}

export function revokePlace(
  environment: Environment,
  { tenant, txn, place, ending }: PlaceEnding,
): 'revoked' | 'already' | 'unknown' {
  const task = findTask(environment, tenant, txn)
  if (task === undefined) return 'unknown'
  const known = readPlaces(environment, { tenant, txn })
  if (!known.some((each) => isWithin(each.place, place))) return 'unknown'
  const taken = takePlaces(environment, { tenant, txn, ending }, { task, known, places: [place] })
  return taken === 0 ? 'already' : 'revoked'
}

/** How many were not taken out yet, by themselves or by one above them. */
function takePlaces(
  environment: Environment,
  at: TaskAddress & { readonly ending: Ending },
  {
    task,
    known,
    places,
  }: Record<'known', readonly KnownPlace[]> & {
    readonly task: StoredTask
    readonly places: Iterable<string>
  },
): number {
  const gone = known.filter(({ ending }) => ending !== undefined)
  const taken = [...places].filter((place) => !gone.some((above) => isWithin(place, above.place)))
  if (taken.length === 0) return 0
  for (const place of taken) takeOut(environment, at, { place, ending: at.ending })
  environment.put(taskKey(at.tenant, at.txn), task.markPlaces().value)
  revokeHops(environment, at, task, (hop) => taken.some((place) => isWithin(hop.place, place)))
  return taken.length
}

export function endTask(
  environment: Environment,
  { tenant, txn, state, ending }: TaskEnding,
): 'ended' | 'already' | 'unknown' {
  const task = findTask(environment, tenant, txn)
  if (task === undefined) return 'unknown'
  const { state: before } = task
  const isFinal = before === 'revoked' || (before === 'closed' && state !== 'revoked')
  if (isFinal || before === state) return 'already'
  const record = setState(environment, { tenant, txn, state, ending }, task)
  if (state === 'revoked') spend(environment, tenant, record.subjectToken)
  return 'ended'
}

export function resumeTask(
  environment: Environment,
  { tenant, txn, ending }: Omit<TaskEnding, 'state'>,
): 'resumed' | 'not_suspended' | 'unknown' {
  const task = findTask(environment, tenant, txn)
  if (task === undefined) return 'unknown'
  if (task.state !== 'suspended') return 'not_suspended'
  setState(environment, { tenant, txn, state: 'open', ending }, task)
  return 'resumed'
}

const ROOT_STATUS = {
  open: STATUS.valid,
  suspended: STATUS.suspended,
  closed: STATUS.invalid,
  revoked: STATUS.invalid,
} as const satisfies Record<TaskState, number>

/** Every token of the task names the root's index, so that one stands for all; the hops' own stay as they are. */
function setState(
  environment: Environment,
  { tenant, txn, state, ending }: TaskAddress & { state: TaskState; ending: Ending },
  task: StoredTask,
): TaskRecord {
  const record = task.read()
  environment.put(taskKey(tenant, txn), task.withState(state, ending).value)
  putStatuses(environment, tenant, task, new Map([[record.rootIdx, ROOT_STATUS[state]]]))
  return record
}

/** Its part in one task; nothing in tasks that were opened after it. */
export function revokeIn(
  environment: Environment,
  { tenant, txn, revocation }: TaskAddress & { readonly revocation: Revocation },
): Reached {
  const { scope, ending } = revocation
  const task = findTask(environment, tenant, txn)
  const record = task?.read()
  if (task === undefined || record === undefined || record.openedAt > ending.at) return NOTHING
  const owner = { agent: record.opener, subject: record.subject, task_type: record.type }
  if (owner[scope.kind] === scope.id) {
    const ended = endTask(environment, { tenant, txn, state: 'revoked', ending })
    return ended === 'ended' ? { tasks: 1, places: 0 } : NOTHING
  }
  if (scope.kind !== 'agent') return NOTHING
  const known = readPlaces(environment, { tenant, txn })
  const places = placesOfAgent(known, scope.id)
  return {
    tasks: 0,
    places: takePlaces(environment, { tenant, txn, ending }, { task, known, places }),
  }
}
