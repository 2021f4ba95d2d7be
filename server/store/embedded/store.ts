/**
 * The embedded store of one data folder: the ports over LMDB. Several processes of one machine may
 * open the same folder.
 */
import { join } from 'node:path'
import type {
  Clock,
  Counters,
  EventStore,
  FindIssued,
  InterruptedHop,
  ReplayGuard,
  StatusIndexes,
  StatusLists,
  TaskStore,
  TenantVersions,
  UsageStore,
  WitnessedLogs,
} from '../../use-cases/ports.ts'
import { enterStore, leaveStore } from './boot-mark.ts'
import { EmbeddedCounters } from './counters.ts'
import { Environment } from './environment.ts'
import { EmbeddedEventStore } from './events.ts'
import { readGeneration } from './generation.ts'
import { recover } from './recovery.ts'
import { EmbeddedReplayGuard } from './replay.ts'
import { EmbeddedStatusIndexes } from './status-indexes.ts'
import { EmbeddedStatusLists } from './status-lists.ts'
import { ensureOrigin } from './statuses.ts'
import { EmbeddedTaskStore } from './tasks.ts'
import { EmbeddedUsageStore } from './usage.ts'
import { EmbeddedTenantVersions, openConfigEnvironment } from './versions.ts'
import { EmbeddedWitnessedLogs } from './witnessed-logs.ts'
import { Writer } from './writer.ts'

export interface EmbeddedStoreOptions {
  readonly dataFolder: string
  readonly clock: Clock
  /** Live bytes each of the two environments may hold; above it what would grow is a fault. 4 GiB by default. */
  readonly maxBytes?: number
  /** Runs `work` once after so many milliseconds unless cancelled; never keeps the process alive. */
  readonly after?: (milliseconds: number, work: () => void) => () => void
  /** Asked by `recover`, of what a crash interrupted. */
  readonly findIssued: FindIssued
  /** Told where a store was moved to on which the machine went down; a new one is begun. */
  readonly onLost?: (folder: string) => void
  /** Name of this run of the machine's system, for tests. */
  readonly boot?: string
  /** Told when the second recovery fails; the hops stay pending for the next start. */
  readonly onFault?: (fault: unknown) => void
}

export interface EmbeddedStore {
  readonly replay: ReplayGuard
  readonly tasks: TaskStore
  readonly statusIndexes: StatusIndexes
  readonly statusLists: StatusLists
  readonly counters: Counters
  readonly events: EventStore
  readonly versions: TenantVersions
  readonly uses: UsageStore
  readonly witnessed: WitnessedLogs
  /**
   * What a crash interrupted is settled, or revoked and put on record; once more by itself for what was too young. Before the
   * first request.
   */
  recover(recordRevoked: (hop: InterruptedHop) => Promise<void>): Promise<void>
  /** Writes and syncs all that waits; every later write is a fault. */
  close(): Promise<void>
}

const DEFAULT_MAX_BYTES = 4 * 1024 ** 3
/** By then what was in flight at the start, in a process that crashed, is old enough to be judged. */
const SECOND_RECOVERY_MILLISECONDS = 11_000

function afterUnref(milliseconds: number, work: () => void): () => void {
  const timer = setTimeout(work, milliseconds).unref()
  return () => clearTimeout(timer)
}

/** Opens or creates the store. */
export function openEmbeddedStore(options: EmbeddedStoreOptions): EmbeddedStore {
  const { dataFolder, clock } = options
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES
  const folder = join(dataFolder, 'store')
  const lost = enterStore(folder, options.boot)
  if (lost !== undefined) options.onLost?.(lost)
  const environment = new Environment(folder, 'process', maxBytes)
  const config = openConfigEnvironment(dataFolder, maxBytes)
  const versions = new EmbeddedTenantVersions(config)
  const writer = new Writer(environment)
  environment.transact(() => ensureOrigin(environment, clock.now()))
  const tasks = new EmbeddedTaskStore(environment, writer, clock)
  let recovering = Promise.resolve()
  let cancel = (): void => {}
  const generation = readGeneration(environment)
  return {
    replay: new EmbeddedReplayGuard(writer, clock),
    tasks,
    statusIndexes: new EmbeddedStatusIndexes(writer, generation, clock),
    statusLists: new EmbeddedStatusLists(environment, generation),
    counters: new EmbeddedCounters(writer),
    events: new EmbeddedEventStore(environment, writer),
    versions,
    uses: new EmbeddedUsageStore(config),
    witnessed: new EmbeddedWitnessedLogs(config),
    async recover(recordRevoked) {
      const { findIssued, onFault = () => {}, after = afterUnref } = options
      const recovery = { environment, tasks, clock, findIssued, recordRevoked }
      await recover(recovery)
      cancel = after(SECOND_RECOVERY_MILLISECONDS, () => {
        recovering = recover(recovery).catch(onFault)
      })
    },
    async close() {
      cancel()
      await recovering
      writer.close()
      await environment.close()
      leaveStore(folder)
      await versions.close()
    },
  }
}
