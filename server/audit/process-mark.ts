/**
 * Tells a process that runs from one that does not, by a name that no later process gets: its number, and when it was
 * started. A number alone comes again, in a container at every start.
 */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'

const MARK = /^(\d+)-([\da-f]{12}|alive)(?:-|$)/
/** proc(5): the fields after the command's name, which may hold anything but ends with the last parenthesis. */
const START_FIELD = 19

/** `{number}-{start}`; undefined where no such process runs. */
export function markOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_FIELD]
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')
    return `${pid}-${hash('sha256', `${boot} ${started}`, 'hex').slice(0, 12)}`
  } catch {
    return isAlive(pid) ? `${pid}-alive` : undefined
  }
}

/** Whether `name` begins with the mark of a process that runs no more. False for what begins with no mark. */
export function isOfDead(name: string): boolean {
  const [, pid, start] = MARK.exec(name) ?? []
  return pid !== undefined && markOf(Number(pid)) !== `${pid}-${start}`
}

/** Where a system does not tell when a process was started. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (fault) {
    return fault instanceof Error && 'code' in fault && fault.code === 'EPERM'
  }
}
