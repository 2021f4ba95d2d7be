/**
 * Tasks and what was issued in them, as the store keeps them. The task's record is the truth; the statuses that verifiers read
 * follow from it, in the same step. Times are seconds since the epoch.
 */
import type { Subject } from '../core/rules.ts'

/** A task whose deadline has passed is over whatever its state. A suspended one may be resumed; the last two are final. */
export type TaskState = 'open' | 'suspended' | 'closed' | 'revoked'

/** Who ended something, when, and why: on record with what it ended. */
export interface Ending {
  readonly at: number
  /** `operator`, `{trusted issuer id}:{subject}`, `agent:{id}`, `trigger`, `facts`, or `transmitter:{id}`. */
  readonly by: string
  /** The author's own words, or what a trigger saw. */
  readonly reason: string
}

export interface TaskRecord {
  readonly txn: string
  readonly type: string
  readonly subject: string
  /** Trusted issuer id of the subject and the claims rules may read; undefined with basis `client`. */
  readonly subjectFrom: Pick<Subject, 'issuer' | 'claims'> | undefined
  /** The token that opened it: no task is opened with it once this one was revoked. Undefined with basis `client`. */
  readonly subjectToken: SubjectTokenId | undefined
  readonly opener: string
  readonly purpose: string | undefined
  readonly rootJti: string
  readonly rootIdx: number
  /** What the root's masks stand for (docs/chain-format.md §1). */
  readonly scope: readonly string[]
  readonly reach: readonly string[]
  readonly maxDepth: number
  /** Status list id that holds every index of this task. */
  readonly list: string
  readonly openedAt: number
  readonly deadline: number
  readonly state: TaskState
  /** Of the last change of its state; undefined while none was. */
  readonly ending: Ending | undefined
}

export interface SubjectTokenId {
  /** Trusted issuer id and `jti`, or a hash of the signing input; attacker-chosen text, hashed by the store. */
  readonly id: readonly string[]
  readonly expiresAt: number
}

export interface HopRecord {
  readonly jti: string
  readonly idx: number
  /** `jti` of the token presented for it; the task's `rootJti` for the first. */
  readonly parent: string
  /** Agent ids from the root to the holder, joined by `/`. */
  readonly place: string
  readonly holder: string
  readonly audience: string
  /** The agent that answered at the audience when the hop was recorded; undefined for an API. */
  readonly owner: string | undefined
  /** Masks over the task's `scope` and `reach`. */
  readonly scope: number
  readonly reach: number
  readonly issuedAt: number
  readonly expiresAt: number
  readonly revoked: boolean
}

export interface HopLimits {
  readonly now: number
  readonly tokensPerPlace: number
  readonly tokensPerTask: number
}

/** Why a hop was not recorded; nothing was written then. */
export type HopConflict =
  | 'task_unknown'
  | 'task_ended'
  | 'task_suspended'
  | 'parent_unknown'
  | 'parent_revoked'
  | 'parent_expired'
  | 'place_revoked'
  | 'place_full'
  | 'task_full'

/** A place of a task that was taken out: nothing is issued at it or beneath it any more. */
export interface RevokedPlace {
  readonly place: string
  readonly ending: Ending
}

/** A task with everything in it. */
export interface TaskTree {
  readonly task: TaskRecord
  /** Oldest first; of one second in any order. */
  readonly hops: readonly HopRecord[]
  readonly revokedPlaces: readonly RevokedPlace[]
}

/** What is looked for; a member that is undefined asks for nothing. */
export interface TaskQuery {
  /** `expired`: past its deadline and neither closed nor revoked; `open` and `suspended`: before it. */
  readonly state: TaskState | 'expired' | undefined
  /** Agent that opened it or acts in it. */
  readonly agent: string | undefined
  readonly opener: string | undefined
  readonly subject: string | undefined
  readonly now: number
  /** At most so many. */
  readonly limit: number
  /** Where the page before ended; of this tenant. */
  readonly after: TaskPosition | undefined
}

/** `txn` is empty where a page ended between two tasks: all of that second and later are done. */
export interface TaskPosition {
  readonly openedAt: number
  readonly txn: string
}

export interface TaskPage {
  /** Newest first. */
  readonly tasks: readonly TaskRecord[]
  /** Where the next page begins; undefined at the end. A page may be short and go on: a look is bounded. */
  readonly next: TaskPosition | undefined
}

/** What a revocation reaches, wherever it is in the tenant. */
export type RevocationScope =
  | { readonly kind: 'agent'; readonly id: string }
  | { readonly kind: 'subject'; readonly id: string }
  | { readonly kind: 'task_type'; readonly id: string }

/** One that has to reach many tasks: on record before the first and until the last, so that a crash is finished. */
export interface Revocation {
  readonly id: string
  readonly scope: RevocationScope
  readonly ending: Ending
}

/** What a step did: a task that was ended, places that were taken out, or nothing any more. */
export interface Reached {
  readonly tasks: number
  readonly places: number
}

/** Hot state of tasks. A hop counts only while its record exists, so a lost store fails closed. */
export interface TaskStore {
  /**
   * Writes the task and its first hop in one step, unless its subject token was spent. Throws if the task exists.
   */
  openTask(
    tenant: string,
    task: TaskRecord,
    hop: HopRecord,
  ): Promise<'opened' | 'subject_token_spent'>
  /**
   * One atomic step in the task's own slot: task open and before its deadline, parent recorded, unrevoked and
   * unexpired, no place on the way revoked, counters below the limits; then the hop is written, pending until `settleHop`.
   */
  recordHop(
    tenant: string,
    txn: string,
    hop: HopRecord,
    limits: HopLimits,
  ): Promise<'recorded' | HopConflict>
  findHop(
    tenant: string,
    txn: string,
    jti: string,
  ): Promise<{ readonly task: TaskRecord; readonly hop: HopRecord } | undefined>
  /** Its audit entry is durable: recovery need not look at this hop any more. Not awaited by callers. */
  settleHop(tenant: string, txn: string, jti: string): Promise<void>
  readTask(tenant: string, txn: string): Promise<TaskTree | undefined>
  listTasks(tenant: string, query: TaskQuery): Promise<TaskPage>

  // What ends. Each is one atomic step that writes the statuses too (`StatusLists`), and doing it again changes nothing.

  /** The hop and all that was minted from it, by recipients and by holders; false if it is not recorded. */
  revokeHop(tenant: string, txn: string, jti: string): Promise<boolean>
  /** Every token of the place and of all places beneath; the place is never made again in this task. */
  revokePlace(
    tenant: string,
    txn: string,
    place: string,
    ending: Ending,
  ): Promise<'revoked' | 'already' | 'unknown'>
  /** To closed, revoked or suspended. Only `revoked` follows `closed`. Revoked also spends the subject token. */
  endTask(
    tenant: string,
    txn: string,
    state: Exclude<TaskState, 'open'>,
    ending: Ending,
  ): Promise<'ended' | 'already' | 'unknown'>
  /** A suspended task is open again, what was revoked in it excepted. */
  resumeTask(
    tenant: string,
    txn: string,
    ending: Ending,
  ): Promise<'resumed' | 'not_suspended' | 'unknown'>

  /** Begins one: from now on it is pending, in every process and after a crash. */
  beginRevocation(tenant: string, revocation: Revocation): Promise<void>
  /**
   * The part of it in one task that was opened until its time: an agent's places, the task where the agent opened it, the
   * task where subject or type fit.
   */
  revokeIn(tenant: string, txn: string, revocation: Revocation): Promise<Reached>
  finishRevocation(tenant: string, id: string): Promise<void>
  pendingRevocations(): Promise<
    readonly { readonly tenant: string; readonly revocation: Revocation }[]
  >
  /** Ids of tasks that are not over, in key order, at most `limit` after `after`. For walks. */
  liveTasks(
    tenant: string,
    walk: { readonly now: number; readonly after: string | undefined; readonly limit: number },
  ): Promise<readonly string[]>
}

/** Status of an index (Token Status List, Status Types). */
export const STATUS = { valid: 0, invalid: 1, suspended: 2 } as const
/** Bits an index takes in a list. */
export const STATUS_BITS = 2

/** What verifiers are told. Reads shared memory: what any process committed is seen by the next read of every one. */
export interface StatusLists {
  /** Names this store apart from every other one, one that took its place after a loss included. */
  readonly generation: string
  /**
   * One more with every commit that changed a list of the tenant. Where it begins is the store's: a store made anew after a
   * loss begins above all that the lost one reached, so that what it tells is never taken for old.
   */
  sequence(tenant: string): number
  /** Lists that tokens may still refer to, and at which sequence each changed last; 0: never. */
  lists(tenant: string): readonly { readonly id: string; readonly changedAt: number }[]
  /** Undefined: no such list, or not any more. */
  read(tenant: string, list: string): StatusListContent | undefined
}

export interface StatusListContent {
  /** Packed as the Token Status List says, `STATUS_BITS` each, lowest bits first; what is missing at the end is valid. */
  readonly statuses: Uint8Array
  /** Indexes handed out so far, rounded up. */
  readonly size: number
  readonly changedAt: number
  /** Of the tenant, in the same view of the store. */
  readonly sequence: number
}

/** How often something happened, counted in fixed windows, across processes. */
export interface Counters {
  /** Counts one; how many there were in the window that `now` falls into, this one included. */
  count(counted: Counted): Promise<number>
}

export interface Counted {
  readonly tenant: string
  /** What is counted; hashed by the store. */
  readonly id: readonly string[]
  /** Seconds. */
  readonly window: number
  readonly now: number
}
