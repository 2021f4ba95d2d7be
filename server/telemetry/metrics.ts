/**
 * Metrics for Prometheus, in a registry of their own. Each series is found by a few looks into maps and made once, so that a
 * request pays for numbers alone.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { codeOf } from '../core/audit-code.ts'
import type { AnsweredRequest, AuditEntry, WatchedEndpoint } from '../use-cases/ports.ts'
import { METRICS, type MetricRow } from './metric-table.ts'
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

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const ENTRIES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]

interface RequestSeries {
  readonly count: Counter.Internal
  readonly seconds: Histogram.Internal<string>
}

export function createMetrics({ version }: { readonly version: string }): Metrics {
  const registers = [new Registry()]
  const [registry] = registers as [Registry]
  const counter = ({ name, help, labels }: MetricRow) =>
    new Counter({ name, help, labelNames: labels, registers })
  const gauge = ({ name, help, labels }: MetricRow) =>
    new Gauge({ name, help, labelNames: labels, registers })
  const histogram = ({ name, help, labels }: MetricRow, buckets: number[]) =>
    new Histogram({ name, help, labelNames: labels, buckets, registers })

  processMetrics()
  gauge(METRICS.build).set({ version, node: process.version }, 1)
  const requests = counter(METRICS.requests)
  const requestSeconds = histogram(METRICS.requestSeconds, SECONDS)
  const publicRequests = counter(METRICS.publicRequests)
  const tokensIssued = counter(METRICS.tokensIssued)
  const revocations = counter(METRICS.revocations)
  const feedListeners = gauge(METRICS.feedListeners)
  const auditEntries = counter(METRICS.auditEntries)
  const commitEntries = histogram(METRICS.commitEntries, ENTRIES)
  const commitSeconds = histogram(METRICS.commitSeconds, SECONDS)
  const commitFailures = counter(METRICS.commitFailures)
  const auditFailing = gauge(METRICS.auditFailing)
  const journalOctets = gauge(METRICS.journalOctets)
  const checkpointEntries = gauge(METRICS.checkpointEntries)
  const checkpointTime = gauge(METRICS.checkpointTime)
  const auditDamaged = gauge(METRICS.auditDamaged)
  const anchorConflict = gauge(METRICS.anchorConflict)
  const exportFailures = counter(METRICS.exportFailures)

  const tenants = new TenantLabels()
  const requestSeries = new SeriesTree<RequestSeries>(([endpoint, tenant, outcome, reason]) => ({
    count: requests.labels({ endpoint, tenant, outcome, reason }),
    seconds: requestSeconds.labels({ endpoint, outcome }),
  }))
  const entrySeries = new SeriesTree(([tenant, code]) => auditEntries.labels({ tenant, code }))
  const tokenSeries = new SeriesTree(([tenant, way_in]) => tokensIssued.labels({ tenant, way_in }))

  return {
    contentType: registry.contentType,
    text: async (levels) => {
      auditFailing.set(levels.isAuditFailing ? 1 : 0)
      journalOctets.set(levels.journalOctets)
      feedListeners.set(levels.feedListeners)
      auditDamaged.reset()
      for (const log of levels.damagedLogs) auditDamaged.set({ log: tenants.of(log) }, 1)
      anchorConflict.reset()
      for (const log of levels.conflictingLogs) anchorConflict.set({ log: tenants.of(log) }, 1)
      return `${await registry.metrics()}${await processMetrics().metrics()}`
    },
    answered: (endpoint, { tenant, outcome, reason = 'none' }, milliseconds) => {
      const series = requestSeries.of(endpoint, tenants.of(tenant), outcome, reason)
      series.count.inc()
      series.seconds.observe(milliseconds / 1000)
    },
    answeredPublic: (endpoint, status) =>
      publicRequests.inc({ endpoint, status: `${Math.trunc(status / 100)}xx` }),
    recorded: (entry, isTenant) => {
      const tenant = tenants.of(entry.tenant, isTenant)
      entrySeries.of(tenant, codeOf(entry)).inc()
      if (entry.event === 'token' && entry.outcome === 'permit') {
        tokenSeries.of(tenant, entry.way_in ?? 'none').inc()
      }
    },
    revoked: (entry) => revocations.inc({ tenant: tenants.of(entry.tenant) }),
    committed: ({ entries, ms, failed }) => {
      if (failed) {
        commitFailures.inc()
        return
      }
      commitEntries.observe(entries)
      commitSeconds.observe(ms / 1000)
    },
    checkpointed: (log, entries, at) => {
      const labels = { log: tenants.of(log) }
      checkpointEntries.set(labels, entries)
      checkpointTime.set(labels, at)
    },
    exportFailed: () => exportFailures.inc(),
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
