/** For `--import`: tells whoever started the process, on its third extra stream, what it used. */
import { writeSync } from 'node:fs'

export interface Used {
  /** Microseconds of CPU, user and system, of all threads. */
  readonly cpu: number
  /** Kilobytes. */
  readonly maxMemory: number
}

const REPORT = 3

process.once('exit', () => {
  const { user, system } = process.cpuUsage()
  const used: Used = { cpu: user + system, maxMemory: process.resourceUsage().maxRSS }
  writeSync(REPORT, JSON.stringify(used))
})
