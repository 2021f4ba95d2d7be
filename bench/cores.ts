/**
 * Which core measures what. Where `taskset` is present and two cores may be used, what is measured has one of them to
 * itself and everything else has the other; else the scheduler decides, and the run says so.
 */
import { execFileSync } from 'node:child_process'

export interface Cores {
  readonly pinned: boolean
  /** Program and arguments that go before a command whose figures count. */
  readonly prefix: readonly string[]
}

const UNPINNED: Cores = { pinned: false, prefix: [] }

/** Where a profile is made: its samples are by the clock, so a thread that waits for its core would seem to work. */
export function everyCore({ pinned }: Cores): Cores {
  return pinned ? { pinned, prefix: ['taskset', '-c', allowed.join(',')] } : UNPINNED
}

let allowed: readonly number[] = []

/** Moves this process, threads included, to the second core it may use and keeps the first for servers. */
export function takeCores(): Cores {
  allowed = allowedCores()
  const [first, second] = allowed
  if (first === undefined || second === undefined) return UNPINNED
  taskset(['-acp', String(second), String(process.pid)])
  return { pinned: true, prefix: ['taskset', '-c', String(first)] }
}

/** This Node with arguments, on the core of servers. */
export function commandOn(
  cores: Cores,
  ...args: readonly string[]
): readonly [string, ...string[]] {
  const [pin, ...rest] = cores.prefix
  return pin === undefined ? [process.execPath, ...args] : [pin, ...rest, process.execPath, ...args]
}

/** The list reads like `0-3,6`. Empty where it cannot be read. */
function allowedCores(): readonly number[] {
  const [, list = ''] = /list: ([\d,-]+)/.exec(taskset(['-cp', String(process.pid)])) ?? []
  return list.split(',').flatMap((part) => {
    const [from = Number.NaN, to = from] = part.split('-').map(Number)
    return Number.isNaN(from) ? [] : Array.from({ length: to - from + 1 }, (_, at) => from + at)
  })
}

function taskset(args: readonly string[]): string {
  try {
    return execFileSync('taskset', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return ''
  }
}
