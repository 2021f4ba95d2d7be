/**
 * What the last run of the server may have left undone of its tasks: revocations that were begun, and tasks that no longer
 * stand on the facts. Done beside the first requests, which look at the facts by themselves.
 */
import type { Tenants } from './use-cases/ports.ts'
import { reconcileTasks } from './use-cases/reconcile-tasks.ts'
import { type RevokeEverywhereDeps, resumeRevocations } from './use-cases/revoke-everywhere.ts'

export interface HealingEdges {
  readonly deps: Omit<RevokeEverywhereDeps, 'pause'>
  readonly tenants: Tenants
  /** Ids of those that could be used at the start. */
  readonly present: readonly string[]
  readonly onFault: (fault: unknown, tenant: string) => void
}

export interface Healing {
  /** Ends it between two tasks; the next start goes on. */
  stop(): Promise<void>
}

/** One turn of the event loop: whoever waits for one gets it first. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export function healTasks({ deps, tenants, present, onFault }: HealingEdges): Healing {
  const stopped = new Error('stopped')
  let isStopped = false
  const walking: RevokeEverywhereDeps = {
    ...deps,
    pause: async () => {
      await pause()
      if (isStopped) throw stopped
    },
  }
  const tell = (fault: unknown, tenant: string): void => {
    if (fault !== stopped) onFault(fault, tenant)
  }
  const heal = async (): Promise<void> => {
    await resumeRevocations(walking, tell)
    for (const id of present) {
      if (isStopped) return
      try {
        const tenant = tenants.find(id)
        if (tenant !== undefined) await reconcileTasks(walking, tenant)
      } catch (fault) {
        tell(fault, id)
      }
    }
  }
  const done = heal().catch((fault: unknown) => tell(fault, ''))
  return {
    stop: () => {
      isStopped = true
      return done
    },
  }
}
