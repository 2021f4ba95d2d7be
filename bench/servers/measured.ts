/**
 * The measured end of a server process: answers the bench, over the process channel, with the CPU time it used, with the
 * floor on its own core, and with a profile of its main thread.
 */

import type { Profiler } from 'node:inspector/promises'
import { Session } from 'node:inspector/promises'
import { measureFloor } from '../floor.ts'

export type Ask =
  | { readonly ask: 'cpu' }
  | { readonly ask: 'floor'; readonly times: number }
  | { readonly ask: 'profile' }
  | { readonly ask: 'profiled' }
  | { readonly ask: 'close' }

/** Microseconds of CPU since the process began, user and system. */
export interface CpuTime {
  /** Every thread: workers, the thread pool and the garbage collector's helpers as well. */
  readonly all: number
  readonly main: number
}

export interface Replies {
  readonly cpu: CpuTime
  readonly floor: number
  readonly profile: null
  readonly profiled: Profiler.Profile
  readonly close: null
}

const SAMPLING_MICROSECONDS = 200

/** Says that the server is up, then answers one ask after the other until told to close. */
export function beMeasured(close: () => Promise<void>): void {
  const session = new Session()
  process.on('message', (message) => {
    void answer(message as Ask, session, close).then(
      (reply) => process.send?.({ reply }),
      (fault: unknown) => process.send?.({ fault: String(fault) }),
    )
  })
  // A server does not outlive the bench, however that ended.
  process.once('disconnect', () => process.exit())
  process.send?.({ reply: 'up' })
}

async function answer(
  asked: Ask,
  session: Session,
  close: () => Promise<void>,
): Promise<Replies[Ask['ask']]> {
  switch (asked.ask) {
    case 'cpu':
      return { all: sum(process.cpuUsage()), main: sum(process.threadCpuUsage()) }
    case 'floor':
      return measureFloor(asked.times)
    case 'profile':
      session.connect()
      await session.post('Profiler.enable')
      await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_MICROSECONDS })
      await session.post('Profiler.start')
      return null
    case 'profiled': {
      const { profile } = await session.post('Profiler.stop')
      session.disconnect()
      return profile
    }
    case 'close':
      await close()
      setImmediate(() => process.disconnect?.())
      return null
  }
}

function sum({ user, system }: { readonly user: number; readonly system: number }): number {
  return user + system
}
