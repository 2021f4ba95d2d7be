/**
 * What a resource server says it did with tokens that were issued for it. A record is believed of its own tokens and of no others
 * (attack case F05), it stands in the log once however often it is sent, and what is acknowledged is durable.
 */
import type { RecordReason } from '../core/record-refusal.ts'
import type { Resource } from '../core/tenant.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { AuditEntry, AuditLog, AuditRecords, Clock, TaskStore } from './ports.ts'

/** Seconds a record may have waited at its resource server. */
export const LONGEST_WAIT = 24 * 60 * 60
/** Seconds its clock may be ahead of ours: with more, no proof of it would be taken either. */
const CLOCK_SKEW = 60

/** One thing that was done, as the resource server tells it. */
export interface ActionRecord {
  /** Its own, the same whenever it is sent. */
  readonly id: string
  readonly jti: string
  readonly txn: string
  readonly tool: string
  /** What it was done to. */
  readonly target: string
  readonly inputDigest: string | undefined
  /** What the tool was called with, where its resource server says it: a digest of it stands in the log. */
  readonly input: string | undefined
  readonly outcome: 'succeeded' | 'failed' | 'refused'
  readonly changeRef: string | undefined
  /** By the resource server's clock; seconds since the epoch. */
  readonly at: number
}

export interface RecordRequest {
  readonly tenant: string
  /** Who tells it, as authenticated. */
  readonly resource: Pick<Resource, 'id' | 'uri'>
  readonly actions: readonly ActionRecord[]
  readonly record: DecisionRecord
}

/** By the id of each record: why it was refused; undefined where it is in the log. */
export type RecordOutcomes = ReadonlyMap<string, RecordReason | undefined>

export interface ActionRecorder {
  /** Resolves when what it says is durable; throws where that cannot be, and to send the same again is then harmless. */
  record(request: RecordRequest): Promise<RecordOutcomes>
}

export interface ActionRecorderDeps {
  readonly clock: Clock
  readonly audit: AuditLog
  readonly tasks: Pick<TaskStore, 'findHop'>
  readonly records: Pick<AuditRecords, 'findIssued' | 'hasRecord'>
}

export function createActionRecorder(deps: ActionRecorderDeps): ActionRecorder {
  /** Requests that are being recorded, by each of their records: one that comes twice at once waits for the first. */
  const inFlight = new Map<string, Promise<RecordOutcomes>>()

  return {
    async record(request) {
      const { tenant, resource, actions } = request
      const keyOf = ({ id }: ActionRecord): string => JSON.stringify([tenant, resource.id, id])
      const others = new Set(actions.flatMap((action) => inFlight.get(keyOf(action)) ?? []))
      const fresh = actions.filter((action) => !inFlight.has(keyOf(action)))
      const own = new Map(fresh.map((action) => [keyOf(action), action]))
      const recording = recordAll(deps, { ...request, actions: [...own.values()] })
      for (const key of own.keys()) inFlight.set(key, recording)
      try {
        const outcomes = await Promise.all([...others, recording])
        const reasonOf = new Map(outcomes.flatMap((known) => [...known]))
        return new Map(actions.map(({ id }) => [id, reasonOf.get(id)]))
      } finally {
        for (const key of own.keys()) inFlight.delete(key)
      }
    },
  }
}

async function recordAll(
  deps: ActionRecorderDeps,
  request: RecordRequest,
): Promise<RecordOutcomes> {
  const judged = await Promise.all(
    request.actions.map(async (action, at) => {
      const record = { permitted: (now: number) => permitted(request.record, now, at) }
      return { action, ...(await judge(deps, { ...request, record }, action)) }
    }),
  )
  // In the order they were sent, and durable together.
  await Promise.all(judged.flatMap(({ entry }) => (entry ? [deps.audit.append(entry)] : [])))
  return new Map(judged.map(({ action, reason }) => [action.id, reason]))
}

/** Each of its entries has a reference of its own: entries of one reference and code are one that stands twice. */
function permitted(record: DecisionRecord, now: number, at: number): AuditEntry {
  return { ...record.permitted(now), ref: `${record.ref}-${at}` }
}

interface Judged {
  /** Undefined: it is in the log already. */
  readonly entry?: AuditEntry
  readonly reason?: RecordReason
}

type Judging = Omit<RecordRequest, 'record'> & {
  readonly record: Pick<DecisionRecord, 'permitted'>
}

async function judge(
  deps: ActionRecorderDeps,
  { tenant, resource, record }: Judging,
  action: ActionRecord,
): Promise<Judged> {
  const { id, jti, txn, at } = action
  // Before its time is looked at: what was acknowledged once is acknowledged again.
  if (await deps.records.hasRecord(tenant, resource.id, id)) return {}
  const now = deps.clock.now()
  const told = { ...record.permitted(now), record: id, jti, txn }
  const refuse = (reason: RecordReason, guard: string = reason): Judged => ({
    entry: { ...told, outcome: 'refuse', reason, guard },
    reason,
  })
  if (at > now + CLOCK_SKEW) return refuse('time_unacceptable', 'record_ahead')
  if (at < now - LONGEST_WAIT) return refuse('time_unacceptable', 'record_old')
  const token = await findToken(deps, tenant, { jti, txn, uri: resource.uri })
  if (token === undefined) return refuse('token_unknown')
  const { tool, target, inputDigest, input, outcome, changeRef } = action
  const entry = {
    ...told,
    ...token,
    tool,
    object: target,
    ...(inputDigest === undefined ? {} : { input_digest: inputDigest }),
    result: outcome,
    ...(changeRef === undefined ? {} : { change_ref: changeRef }),
    recorded_at: at,
    ...(input === undefined ? {} : { texts: { input } }),
  }
  return { entry }
}

interface NamedToken {
  readonly jti: string
  readonly txn: string
  /** The resource it has to have been issued for. */
  readonly uri: string
}

type IssuedToken = Partial<Pick<AuditEntry, 'subject' | 'chain' | 'task_type'>>

/**
 * From the task, and once that is gone from the log. Not there, of another task and of another resource are one answer, and the
 * same two looks.
 */
async function findToken(
  { tasks, records }: Pick<ActionRecorderDeps, 'tasks' | 'records'>,
  tenant: string,
  { jti, txn, uri }: NamedToken,
): Promise<IssuedToken | undefined> {
  const known = await tasks.findHop(tenant, txn, jti)
  if (known?.hop.audience === uri) {
    const { task, hop } = known
    return { subject: task.subject, chain: hop.place.split('/'), task_type: task.type }
  }
  const issued = await records.findIssued(tenant, txn, jti)
  if (issued?.target !== uri) return undefined
  const { subject, chain, task_type: type } = issued
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(chain === undefined ? {} : { chain }),
    ...(type === undefined ? {} : { task_type: type }),
  }
}
