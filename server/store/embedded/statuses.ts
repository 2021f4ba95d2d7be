/**
 * Statuses of indexes, two bits each, in chunks; and the sequence of changes of a tenant. Written inside the transaction
 * of what they follow from, so no verifier is told less than the task's record says.
 */
import { STATUS_BITS } from '../../use-cases/task-store.ts'
import type { Environment } from './environment.ts'
import { originKey, sequenceKey, statusesKey } from './keys.ts'
import { findList, type ListAddress, type ListHead, putList } from './list-heads.ts'

/** Bytes of one chunk: several fit a page of the engine. */
const CHUNK_BYTES = 1024
const PER_BYTE = 8 / STATUS_BITS
const PER_CHUNK = CHUNK_BYTES * PER_BYTE
const MASK = 2 ** STATUS_BITS - 1
/**
 * A store that is made anew after a loss begins where no lost one has come to, so that verifiers never take its news for
 * old ones: one that lived a second made fewer changes than this.
 */
const CHANGES_PER_SECOND = 2 ** 16

/** Inside a transaction, when a store is opened: where all sequences begin. */
export function ensureOrigin(environment: Environment, now: number): void {
  if (environment.has(originKey)) return
  putNumber(environment, originKey, Math.floor(now) * CHANGES_PER_SECOND)
}

export function readSequence(environment: Environment, tenant: string): number {
  const own = environment.get(sequenceKey(tenant)) ?? environment.get(originKey)
  return own?.readDoubleBE() ?? 0
}

/** Inside a transaction. Writes those that differ; any that does makes the sequence one more. */
export function writeStatuses(
  environment: Environment,
  at: ListAddress,
  statuses: ReadonlyMap<number, number>,
): void {
  const chunks = new Map<number, Buffer>()
  let last = -1
  for (const [index, status] of statuses) {
    const number = Math.floor(index / PER_CHUNK)
    const chunk = chunks.get(number) ?? readChunk(environment, at, number)
    const offset = Math.floor((index % PER_CHUNK) / PER_BYTE)
    const shift = (index % PER_BYTE) * STATUS_BITS // lowest bits first (Token Status List, Compressed Byte Array)
    const before = chunk[offset] ?? 0
    const after = (before & ~(MASK << shift)) | (status << shift)
    if (after === before) continue
    chunk[offset] = after
    chunks.set(number, chunk)
    last = Math.max(last, number)
  }
  if (chunks.size === 0) return
  for (const [number, chunk] of chunks) {
    environment.put(statusesKey(at.tenant, at.list, number), chunk)
  }
  const changedAt = readSequence(environment, at.tenant) + 1
  putNumber(environment, sequenceKey(at.tenant), changedAt)
  const list = findList(environment, at)
  if (list === undefined) throw new Error('a task has no status list')
  putList(environment, at, { ...list, chunks: Math.max(list.chunks, last + 1), changedAt })
}

/** All chunks in one; what is missing at the end is valid. */
export function joinStatuses(
  environment: Environment,
  at: ListAddress,
  { chunks }: ListHead,
): Buffer {
  const joined = Buffer.alloc(chunks * CHUNK_BYTES)
  for (let number = 0; number < chunks; number += 1) {
    environment.get(statusesKey(at.tenant, at.list, number))?.copy(joined, number * CHUNK_BYTES)
  }
  return joined
}

/** A copy: what the engine returns is not written to. */
function readChunk(environment: Environment, at: ListAddress, number: number): Buffer {
  const stored = environment.get(statusesKey(at.tenant, at.list, number))
  return stored === undefined ? Buffer.alloc(CHUNK_BYTES) : Buffer.from(stored)
}

function putNumber(environment: Environment, key: Buffer, number: number): void {
  const value = Buffer.alloc(8)
  value.writeDoubleBE(number)
  environment.put(key, value)
}
