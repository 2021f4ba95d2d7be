/**
 * Tells a store that may be believed from one the machine went down on. Commits are not synced one by one, so after a power
 * loss or a crash of the system the files may hold any mixture: that store is set aside whole and a new one begun, whose
 * tokens, claims and lists have nothing to do with it. Every task is over then, and nothing old is accepted.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { join } from 'node:path'

const MARK = 'in-use-since-boot'
const PROCESSES = 'processes'

/**
 * Marks the store as in use by this process since this boot. Returns where a store that cannot be believed was moved to,
 * undefined where there was none.
 */
export function enterStore(folder: string, boot: string = thisBoot()): string | undefined {
  const marked = readMark(folder)
  const lost = marked === undefined || marked === boot ? undefined : setAside(folder)
  mkdirSync(join(folder, PROCESSES), { recursive: true, mode: 0o700 })
  // Before the mark: whoever leaves at this moment sees this process, and leaves the mark.
  writeFileSync(join(folder, PROCESSES, String(process.pid)), '')
  // A start on a full disk finds the mark of the process before.
  if (readMark(folder) !== boot) writeMark(folder, boot)
  return lost
}

/** Called after everything was synced. The last process out takes the mark away: the files are whole. */
export function leaveStore(folder: string): void {
  rmSync(join(folder, PROCESSES, String(process.pid)), { force: true })
  if (isUsedByOthers(folder)) return
  const boot = readMark(folder)
  rmSync(join(folder, MARK), { force: true })
  // One that came in meanwhile may have written its mark before it was taken away.
  if (isUsedByOthers(folder) && boot !== undefined) writeMark(folder, boot)
}

function isUsedByOthers(folder: string): boolean {
  return readdirSync(join(folder, PROCESSES)).some((name) => isAlive(Number(name)))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (fault) {
    return fault instanceof Error && 'code' in fault && fault.code === 'EPERM'
  }
}

/** Whole or not at all: a mark half written would be another boot's to whoever reads it at that moment. */
function writeMark(folder: string, boot: string): void {
  const draft = join(folder, `${MARK}.${process.pid}`)
  writeFileSync(draft, boot, { flush: true })
  renameSync(draft, join(folder, MARK))
}

function readMark(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, MARK), 'utf8')
  } catch {
    return undefined
  }
}

function setAside(folder: string): string | undefined {
  const aside = `${folder}.lost-${Date.now()}`
  try {
    renameSync(folder, aside)
    return aside
  } catch (fault) {
    // Another process of this boot was first.
    if (fault instanceof Error && 'code' in fault && fault.code === 'ENOENT') return undefined
    throw fault
  }
}

/** Names this run of the machine's system. */
function thisBoot(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    // Elsewhere: when it came up, to ten minutes. Too coarse at worst sets a good store aside.
    return `up-since-${Math.round((Date.now() / 1000 - uptime()) / 600)}`
  }
}
