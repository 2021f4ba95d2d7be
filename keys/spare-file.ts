/**
 * Room for one small file in a folder, on disk already: where the disk is full, a new file is written into it. Killing the key
 * in use needs one, and must not wait for room.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

const SPARE = '.spare'
const SPARE_BYTES = 4096

/** Takes the room; nothing where it is taken, or where the disk has none left. The folder is there. */
export function keepSpare(folder: string): void {
  const path = join(folder, SPARE)
  if (existsSync(path)) return
  const draft = `${path}.${process.pid}`
  try {
    writeFileSync(draft, Buffer.alloc(SPARE_BYTES), { mode: 0o600, flush: true })
    linkSync(draft, path)
  } catch (fault) {
    if (!hasCode(fault, 'EEXIST') && !isFull(fault)) throw fault
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Creates `path` with `content`, synced, mode 0600; in the spare file's room where the disk has no other. */
export function writeInRoom(path: string, content: Uint8Array | string): void {
  try {
    writeFileSync(path, content, { mode: 0o600, flag: 'wx', flush: true })
  } catch (fault) {
    if (!isFull(fault)) throw fault
    rmSync(path, { force: true })
    const bytes = Buffer.from(content)
    if (bytes.length > SPARE_BYTES || !takeSpare(path)) throw fault
    fill(path, bytes)
  }
}

/** True for one caller alone. */
function takeSpare(path: string): boolean {
  try {
    renameSync(join(dirname(path), SPARE), path)
    return true
  } catch (fault) {
    if (hasCode(fault, 'ENOENT')) return false
    throw fault
  }
}

function fill(path: string, bytes: Buffer): void {
  const opened = openSync(path, 'r+')
  try {
    writeSync(opened, bytes, 0, bytes.length, 0)
    ftruncateSync(opened, bytes.length)
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
}

const isFull = (fault: unknown): boolean => hasCode(fault, 'ENOSPC') || hasCode(fault, 'EDQUOT')

function hasCode(fault: unknown, code: string): boolean {
  return fault instanceof Error && 'code' in fault && fault.code === code
}
