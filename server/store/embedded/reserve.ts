/**
 * Room on disk that a store takes before it needs it, so that what ends something can be written on a full disk. The engine
 * puts new pages behind its last one and never shortens its file: zeros behind that page are pages that have their room.
 * True where a file is written over in place (ext4, XFS, tmpfs); a file system that copies on write may still say no.
 */
import {
  closeSync,
  fstatSync,
  linkSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

/** Octets behind the last page while the disk has them. */
const RESERVED_BYTES = 4 * 1024 ** 2
/** What is left of them when nothing may grow any more, and when nothing may be claimed any more. */
const GROWTH_NEEDS_BYTES = 3 * 1024 ** 2
const CLAIMS_NEED_BYTES = 1024 ** 2

/** The engine's table of readers, and room for more: a page of it that the disk cannot give would be a dead process. */
const LOCK_BYTES = 16 * 1024
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** What there is room for: anything; what is claimed for some minutes and what ends; what ends alone. */
export type Room = 'growth' | 'claims' | 'endings'

const ROOMS: readonly Room[] = ['endings', 'claims', 'growth']

/** Whether what needs one has enough in the other. */
export const suffices = (room: Room, needed: Room): boolean =>
  ROOMS.indexOf(room) >= ROOMS.indexOf(needed)

/** Before the engine opens the folder for the first time: its lock file, with all its room. */
export function reserveLockFile(folder: string): void {
  const draft = join(folder, `lock.${process.pid}`)
  writeFileSync(draft, Buffer.alloc(LOCK_BYTES), { mode: 0o600 })
  try {
    // Whole or not at all, and never over one that is in use.
    linkSync(draft, join(folder, 'lock.mdb'))
  } catch (fault) {
    if (codeOf(fault) !== 'EEXIST') throw fault
  } finally {
    rmSync(draft, { force: true })
  }
}

/** `used`: octets up to the end of the last page. */
export function needsReserve(file: string, used: number): boolean {
  return statSync(file).size - used < GROWTH_NEEDS_BYTES
}

/** Only inside a transaction, when no process adds pages. What there is room for after taking what the disk gives. */
export function takeReserve(file: string, used: number): Room {
  const opened = openSync(file, 'r+')
  try {
    const { size } = fstatSync(opened)
    writeZeros(opened, size, used + RESERVED_BYTES)
    const left = fstatSync(opened).size - used
    if (left >= GROWTH_NEEDS_BYTES) return 'growth'
    return left >= CLAIMS_NEED_BYTES ? 'claims' : 'endings'
  } finally {
    closeSync(opened)
  }
}

function writeZeros(opened: number, from: number, to: number): void {
  const zeros = Buffer.alloc(64 * 1024)
  try {
    for (let at = from; at < to; ) at += writeSync(opened, zeros, 0, zeros.length, at)
  } catch (fault) {
    if (!NO_ROOM.has(codeOf(fault))) throw fault
  }
}

function codeOf(fault: unknown): string {
  return fault instanceof Error && 'code' in fault ? String(fault.code) : ''
}
