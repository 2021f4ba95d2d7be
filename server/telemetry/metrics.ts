/**
 * Metrics for Prometheus, in a registry of their own. Each series is found by a few looks into maps and made once, so that a
 * request pays for numbers alone.
 */
import { type Counter, collectDefaultMetrics, type Histogram, Registry } from 'prom-client'
import { codeOf } from '../core/audit-code.ts'
import type { AnsweredRequest, AuditEntry, WatchedEndpoint } from '../use-cases/ports.ts'
import { createInstruments } from './instruments.ts'
import { SeriesTree } from './series-tree.ts'
import { TenantLabels } from './tenant-labels.ts'

/** What is looked up when somebody asks for the metrics. */
export interface Levels {
  readonly isAuditFailing: boolean
  readonly journalOctets: number
  readonly feedListeners: number
  /** Logs that do not fit their checkpoints. */
  readonly damagedLogs: Iterable<string>
  /** Logs that do not fit what an anchor outside has of them. */
  readonly conflictingLogs: Iterable<string>
}

export interface Metrics {
  readonly contentType: string
  /** The text format of Prometheus, version 0.0.4. */
  text(levels: Levels): Promise<string>
  answered(endpoint: WatchedEndpoint, answer: AnsweredRequest, milliseconds: number): void
  answeredPublic(endpoint: 'documents' | 'status', status: number): void
  /** `isTenant`: an entry names the tenant its request named, whether there is one or not. */
  recorded(entry: AuditEntry, isTenant: (name: string) => boolean): void
  revoked(entry: AuditEntry): void
  committed(commit: {
    readonly entries: number
    readonly ms: number
    readonly failed: boolean
  }): void
  /** `at`: seconds since the epoch. */
  checkpointed(log: string, entries: number, at: number): void
  exportFailed(): void
}

interface RequestSeries {
  readonly count: Counter.Internal
  readonly seconds: Histogram.Internal<string>
}

export function createMetrics({ version }: { readonly version: string }): Metrics {
  const registry = new Registry()
  const made = createInstruments(registry)
  processMetrics()
  made.build.set({ version, node: process.version }, 1)
  const tenants = new TenantLabels()
  const requestSeries = new SeriesTree<RequestSeries>(([endpoint, tenant, outcome, reason]) => ({
    count: made.requests.labels({ endpoint, tenant, outcome, reason }),
    seconds: made.requestSeconds.labels({ endpoint, outcome }),
  }))
  const entrySeries = new SeriesTree(([tenant, code]) => made.auditEntries.labels({ tenant, code }))
  const tokenSeries = new SeriesTree(([tenant, way_in]) =>
    made.tokensIssued.labels({ tenant, way_in }),
  )

  return {
    contentType: registry.contentType,
    text: async (levels) => {
      made.auditFailing.set(levels.isAuditFailing ? 1 : 0)
      made.journalOctets.set(levels.journalOctets)
      made.feedListeners.set(levels.feedListeners)
      made.auditDamaged.reset()
      for (const log of levels.damagedLogs) made.auditDamaged.set({ log: tenants.of(log) }, 1)
      made.anchorConflict.reset()
      for (const log of levels.conflictingLogs) made.anchorConflict.set({ log: tenants.of(log) }, 1)
      return `${await registry.metrics()}${await processMetrics().metrics()}`
    },
    answered: (endpoint, { tenant, outcome, reason = 'none' }, milliseconds) => {
      const series = requestSeries.of(endpoint, tenants.of(tenant), outcome, reason)
      series.count.inc()
      series.seconds.observe(milliseconds / 1000)
    },
    answeredPublic: (endpoint, status) =>
      made.publicRequests.inc({ endpoint, status: `${Math.trunc(status / 100)}xx` }),
    recorded: (entry, isTenant) => {
      const tenant = tenants.of(entry.tenant, isTenant)
      entrySeries.of(tenant, codeOf(entry)).inc()
      if (entry.event === 'token' && entry.outcome === 'permit') {
        tokenSeries.of(tenant, entry.way_in ?? 'none').inc()
      }
    },
    revoked: (entry) => made.revocations.inc({ tenant: tenants.of(entry.tenant) }),
    committed: ({ entries, ms, failed }) => {
      if (failed) {
        made.commitFailures.inc()
        return
      }
      made.commitEntries.observe(entries)
      made.commitSeconds.observe(ms / 1000)
    },
    checkpointed: (log, entries, at) => {
      const labels = { log: tenants.of(log) }
      made.checkpointEntries.set(labels, entries)
      made.checkpointTime.set(labels, at)
    },
    exportFailed: () => made.exportFailures.inc(),
  }
}

let ofProcess: Registry | undefined

/** Memory, CPU, event loop lag, garbage collection: of the process, so made once in it, however many servers it runs. */
function processMetrics(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry()
    collectDefaultMetrics({ register: ofProcess })
  }
  return ofProcess
}
