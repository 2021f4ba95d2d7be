/** Wires the notes of use: written every half minute and at the end, beside the requests. */
import type { Tenant } from './core/tenant.ts'
import { faultReason, type Log } from './telemetry/log.ts'
import type { Clock, Tenants, UsageStore } from './use-cases/ports.ts'
import { createUsageLog, type UsageLog } from './use-cases/usage.ts'

const FLUSH_MILLISECONDS = 30_000

export interface OpenUsage {
  readonly log: UsageLog
  /** Writes what is left; then nothing more is written. */
  close(): Promise<void>
}

export function openUsage({
  log,
  clock,
  tenants,
  present,
  store,
}: {
  readonly log: Log
  readonly clock: Clock
  readonly tenants: Tenants
  readonly present: readonly Tenant[]
  readonly store: UsageStore
}): OpenUsage {
  const usage = createUsageLog({ store, tenants, clock, present: present.map(({ id }) => id) })
  const flush = async (): Promise<void> =>
    usage.flush().catch((fault: unknown) => {
      log.error({ event: 'usage_not_written', reason: faultReason(fault) })
    })
  const timer = setInterval(() => void flush(), FLUSH_MILLISECONDS).unref()
  return {
    log: usage,
    close: async () => {
      clearInterval(timer)
      await flush()
    },
  }
}
