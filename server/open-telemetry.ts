/** Wires what the process tells of itself: metrics, traces where a collector is named, and a line for each answer at the level `debug`. */
import { readFileSync } from 'node:fs'
import { type Config, dropTraceVariables } from './config.ts'
import type { RequestListener } from './http/dispatch.ts'
import { EVENT_STREAM } from './http/feed.ts'
import { faultReason, type Log } from './telemetry/log.ts'
import { createMetrics, type Metrics } from './telemetry/metrics.ts'
import type { Traces } from './telemetry/traces.ts'
import type { AuditEntry, AuditLog, SpanName, Telemetry } from './use-cases/ports.ts'

export interface OpenedTelemetry {
  readonly telemetry: Telemetry
  readonly metrics: Metrics
  /** The same port, each of whose verbs is a span; without traces it is the port itself. */
  traced<Port extends object>(name: SpanName, port: Port): Port
  /** The same log; what it took is counted. */
  counted(audit: AuditLog, isTenant: (name: string) => boolean): AuditLog
  /** The same listener; its answers are counted, streams aside. */
  watched(endpoint: 'documents' | 'status', listener: RequestListener): RequestListener
  /** Sends the spans that wait, within a bound. */
  close(): Promise<void>
}

const TELL_AGAIN_MS = 60_000

export async function openTelemetry(config: Config, log: Log): Promise<OpenedTelemetry> {
  const version = readVersion()
  const metrics = createMetrics({ version })
  const traces = await openTraces(config, { log, metrics, version })
  return {
    telemetry: {
      request: async (asked, work) => {
        const began = performance.now()
        const answer = await (traces === undefined ? work() : traces.request(asked, work))
        const ms = performance.now() - began
        metrics.answered(asked.endpoint, answer, ms)
        const { endpoint } = asked
        log.debug({ event: 'answered', endpoint, ...answer, ms: Math.round(ms * 1000) / 1000 })
      },
      span: (name, work) => (traces === undefined ? work() : traces.span(name, work)),
    },
    metrics,
    traced: (name, port) => (traces === undefined ? port : tracedPort(traces, name, port)),
    counted: (audit, isTenant) => countedLog(audit, metrics, isTenant),
    watched: (endpoint, listener) => (req, res) => {
      res.once('finish', () => {
        if (res.getHeader('content-type') === EVENT_STREAM) return
        metrics.answeredPublic(endpoint, res.statusCode)
      })
      listener(req, res)
    },
    close: async () => {
      await traces?.close()
    },
  }
}

interface TraceEdges {
  readonly log: Log
  readonly metrics: Metrics
  readonly version: string
}

/** Who traces nothing does not even load what could. */
async function openTraces(
  { otlpUrl }: Config,
  { log, metrics, version }: TraceEdges,
): Promise<Traces | undefined> {
  if (otlpUrl === undefined) return undefined
  dropTraceVariables()
  const { createTraces } = await import('./telemetry/traces.ts')
  let toldAt = Number.NEGATIVE_INFINITY
  return createTraces({
    url: otlpUrl,
    version,
    onFailure: (fault) => {
      metrics.exportFailed()
      const now = performance.now()
      if (now - toldAt < TELL_AGAIN_MS) return
      toldAt = now
      log.warn({ event: 'traces_not_exported', reason: faultReason(fault) })
    },
  })
}

function tracedPort<Port extends object>(traces: Traces, name: SpanName, port: Port): Port {
  return new Proxy(port, {
    get: (target, key) => {
      const verb: unknown = Reflect.get(target, key)
      if (typeof verb !== 'function') return verb
      return (...input: readonly unknown[]) =>
        traces.span(name, () => verb.apply(target, input) as unknown)
    },
  })
}

function countedLog(
  audit: AuditLog,
  metrics: Metrics,
  isTenant: (name: string) => boolean,
): AuditLog {
  return {
    append: async (entry: AuditEntry) => {
      await audit.append(entry)
      metrics.recorded(entry, isTenant)
    },
    appendRevocation: async (entry: AuditEntry) => {
      await audit.appendRevocation(entry)
      metrics.recorded(entry, isTenant)
      if (entry.outcome === 'permit') metrics.revoked(entry)
    },
    get isFailing() {
      return audit.isFailing
    },
  }
}

/** This package's own. */
function readVersion(): string {
  const { version } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as { readonly version: string }
  return version
}
