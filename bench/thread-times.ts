/** CPU time by kind of thread, where the system tells (Linux): a process's total says nothing about who used it. */
import { readdirSync, readFileSync } from 'node:fs'

/** What Node and V8 call their threads, and what those do. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['node-MainThread', 'main thread'],
  ['WorkerThread', 'store writer'],
  ['libuv-worker', 'thread pool (webcrypto, file syncs)'],
  ['node-V8Worker', 'V8 (garbage collection, compilation)'],
])

/** Microseconds since each thread began, added up by kind. Empty where there is no /proc. */
export function threadTimes(pid: number): ReadonlyMap<string, number> {
  const times = new Map<string, number>()
  for (const thread of threadsOf(pid)) {
    const folder = `/proc/${pid}/task/${thread}`
    const name = readOrNothing(`${folder}/comm`).trim()
    const [nanoseconds = '0'] = readOrNothing(`${folder}/schedstat`).split(' ')
    const kind = KINDS.get(name) ?? 'others'
    times.set(kind, (times.get(kind) ?? 0) + Number(nanoseconds) / 1000)
  }
  return times
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** A thread may end between being listed and being read. */
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
