/**
 * Values of the embedded store: a fixed head with what a decision inside the transaction needs, then the record as JSON.
 * The head is the truth for what it holds.
 */
import type { Ending, HopRecord, TaskRecord, TaskState } from '../../use-cases/ports.ts'

/** In the order of their numbers in the head: only added to. */
const STATES = ['open', 'closed', 'revoked', 'suspended'] as const satisfies readonly TaskState[]
const STATE = 0x0f
/** With the state: some place of the task was taken out. */
const WITHOUT_PLACES = 0x80

/** Task head: state and flag (1), tokens (4), deadline (8), latest expiry of a token (8). */
const TASK_HEAD = 21
/** Hop head: revoked (1), expiry (8), recorded at (8). */
const HOP_HEAD = 17
/** Place head: tokens made (4). */
const PLACE_HEAD = 4

/** The record behind room for its head, which is the caller's to write. */
function behindHead(head: number, record: unknown): Buffer {
  const text = JSON.stringify(record)
  const value = Buffer.allocUnsafe(head + Buffer.byteLength(text))
  value.write(text, head)
  return value
}

/** A task as stored. `value` is owned by its reader: patched copies are put back whole. */
export class StoredTask {
  readonly value: Buffer

  constructor(value: Buffer) {
    this.value = value
  }

  static of(task: TaskRecord, firstHop: HopRecord): StoredTask {
    const value = behindHead(TASK_HEAD, task)
    value.writeUInt8(STATES.indexOf(task.state), 0)
    value.writeUInt32BE(1, 1)
    value.writeDoubleBE(task.deadline, 5)
    value.writeDoubleBE(Math.max(task.deadline, firstHop.expiresAt), 13)
    return new StoredTask(value)
  }

  get state(): TaskState {
    const state = STATES[this.value.readUInt8(0) & STATE]
    if (state === undefined) throw new Error('a task record is damaged')
    return state
  }

  /** Whether there are places to look for before a hop is recorded. */
  get withoutPlaces(): boolean {
    return (this.value.readUInt8(0) & WITHOUT_PLACES) !== 0
  }

  get tokens(): number {
    return this.value.readUInt32BE(1)
  }

  get deadline(): number {
    return this.value.readDoubleBE(5)
  }

  /** When neither the task nor any token of it can live any more. */
  get endsAt(): number {
    return this.value.readDoubleBE(13)
  }

  isOver(now: number): boolean {
    return this.state === 'closed' || this.state === 'revoked' || now >= this.deadline
  }

  withToken(expiresAt: number): StoredTask {
    const value = Buffer.from(this.value)
    value.writeUInt32BE(this.tokens + 1, 1)
    value.writeDoubleBE(Math.max(this.endsAt, expiresAt), 13)
    return new StoredTask(value)
  }

  withState(state: TaskState, ending: Ending): StoredTask {
    const value = behindHead(TASK_HEAD, { ...this.read(), ending })
    this.value.copy(value, 0, 0, TASK_HEAD)
    value.writeUInt8((value.readUInt8(0) & ~STATE) | STATES.indexOf(state), 0)
    return new StoredTask(value)
  }

  /** From now on some places of it are taken out. */
  markPlaces(): StoredTask {
    const value = Buffer.from(this.value)
    value.writeUInt8(value.readUInt8(0) | WITHOUT_PLACES, 0)
    return new StoredTask(value)
  }

  read(): TaskRecord {
    const record = JSON.parse(this.value.toString('utf8', TASK_HEAD)) as TaskRecord
    const { purpose, subjectFrom, subjectToken, ending } = record
    return { ...record, purpose, subjectFrom, subjectToken, ending, state: this.state }
  }
}

/** A place of a task: how many tokens were made at it, and whether it was taken out. */
export class StoredPlace {
  readonly value: Buffer

  constructor(value: Buffer) {
    this.value = value
  }

  static of(place: string, tokens: number, ending?: Ending): StoredPlace {
    const value = behindHead(PLACE_HEAD, ending === undefined ? [place] : [place, ending])
    value.writeUInt32BE(tokens, 0)
    return new StoredPlace(value)
  }

  get tokens(): number {
    return this.value.readUInt32BE(0)
  }

  withToken(): StoredPlace {
    const value = Buffer.from(this.value)
    value.writeUInt32BE(this.tokens + 1, 0)
    return new StoredPlace(value)
  }

  /** Undefined for one that was begun before places had names. */
  read(): { readonly place: string; readonly ending: Ending | undefined } | undefined {
    if (this.value.length === PLACE_HEAD) return undefined
    const text = this.value.toString('utf8', PLACE_HEAD)
    const [place, ending] = JSON.parse(text) as readonly [string, Ending?]
    return { place, ending }
  }
}

export class StoredHop {
  readonly value: Buffer

  constructor(value: Buffer) {
    this.value = value
  }

  static of(hop: HopRecord, recordedAt: number): StoredHop {
    const value = behindHead(HOP_HEAD, hop)
    value.writeUInt8(hop.revoked ? 1 : 0, 0)
    value.writeDoubleBE(hop.expiresAt, 1)
    value.writeDoubleBE(recordedAt, 9)
    return new StoredHop(value)
  }

  get revoked(): boolean {
    return this.value[0] !== 0
  }

  get expiresAt(): number {
    return this.value.readDoubleBE(1)
  }

  get recordedAt(): number {
    return this.value.readDoubleBE(9)
  }

  revoke(): StoredHop {
    const value = Buffer.from(this.value)
    value.writeUInt8(1, 0)
    return new StoredHop(value)
  }

  read(): HopRecord {
    const record = JSON.parse(this.value.toString('utf8', HOP_HEAD)) as HopRecord
    return { ...record, owner: record.owner, revoked: this.revoked }
  }
}

/** Where a pending hop is: what recovery needs, since keys are never parsed back. */
export interface HopAddress {
  readonly tenant: string
  readonly txn: string
  readonly jti: string
}

export function writeAddress(address: HopAddress): Buffer {
  return Buffer.from(JSON.stringify([address.tenant, address.txn, address.jti]))
}

export function readAddress(value: Buffer): HopAddress {
  const [tenant, txn, jti] = JSON.parse(value.toString('utf8')) as readonly string[]
  if (tenant === undefined || txn === undefined || jti === undefined) {
    throw new Error('a pending record is damaged')
  }
  return { tenant, txn, jti }
}
