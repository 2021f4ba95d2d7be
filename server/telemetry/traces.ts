/**
 * Traces for OpenTelemetry, sent to a collector (OTLP over HTTP, JSON). Loaded only where an operator names one. A span has the
 * fields the log may have and no other: no fault, no text of a caller.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import { parseTraceparent } from '../core/trace-context.ts'
import type { AnsweredRequest, AskedRequest, SpanName } from '../use-cases/ports.ts'
import { allowedFields } from './log-fields.ts'

export interface Traces {
  /** One span for a request, under the caller's where it names one. A caller that keeps no trace of it has none kept here. */
  request(asked: AskedRequest, work: () => Promise<AnsweredRequest>): Promise<AnsweredRequest>
  /** One span for a part of a request; outside of one nothing is traced. */
  span<Result>(name: SpanName, work: () => Result): Result
  /** Sends what waits, for two seconds at most. Never rejects. */
  close(): Promise<void>
}

export interface TracesDeps {
  /** Where the collector takes spans. */
  readonly url: string
  readonly version: string
  /** Told of each batch that was not taken; the requests in it are answered long since. */
  readonly onFailure: (fault: unknown) => void
}

/** Spans that wait at most; what comes beyond is dropped. */
const MOST_WAITING = 2048
const SEND_EVERY_MS = 1000
const SEND_LIMIT_MS = 5000
const CLOSE_LIMIT_MS = 2000

export function createTraces({ url, version, onFailure }: TracesDeps): Traces {
  const processor = new BatchSpanProcessor({
    exporter: telling(exporterTo(url), onFailure),
    maxQueueSize: MOST_WAITING,
    scheduledDelayMillis: SEND_EVERY_MS,
    exportTimeoutMillis: SEND_LIMIT_MS * 2,
  })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'actchain', 'service.version': version }),
    spanProcessors: [processor],
  })
  const tracer = provider.getTracer('actchain')
  const current = new AsyncLocalStorage<Context>()
  let closing: Promise<void> | undefined
  return {
    request: async ({ endpoint, traceparent }, work) => {
      const around = contextOf(traceparent)
      const span = tracer.startSpan(endpoint, { kind: SpanKind.SERVER }, around)
      try {
        const answered = await current.run(trace.setSpan(around, span), work)
        span.setAttributes(attributesOf({ endpoint, ...answered }))
        // Who is refused was answered well.
        if (answered.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
        return answered
      } catch (fault) {
        span.setStatus({ code: SpanStatusCode.ERROR })
        throw fault
      } finally {
        span.end()
      }
    },
    span: (name, work) => {
      const around = current.getStore()
      if (around === undefined) return work()
      const span = tracer.startSpan(name, {}, around)
      return ended(span, () => current.run(trace.setSpan(around, span), work))
    },
    close: () => {
      closing ??= withinLimit(provider.shutdown())
      return closing
    },
  }
}

/** Resolves with the shutdown, however that ends: why a batch was not taken was told. */
async function withinLimit(shutdown: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const limit = setTimeout(resolve, CLOSE_LIMIT_MS)
  shutdown.then(resolve, () => resolve())
  await promise
  clearTimeout(limit)
}

function exporterTo(url: string): SpanExporter {
  return new OTLPTraceExporter({
    url,
    timeoutMillis: SEND_LIMIT_MS,
    concurrencyLimit: 2,
  })
}

function telling(exporter: SpanExporter, onFailure: (fault: unknown) => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.code !== 0) onFailure(result.error)
        done(result)
      }),
    shutdown: () => exporter.shutdown(),
  }
}

function contextOf(traceparent: string | undefined): Context {
  const parent = parseTraceparent(traceparent)
  if (parent === undefined) return ROOT_CONTEXT
  const { traceId, spanId, isSampled } = parent
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true })
}

/** Ends with the work, whether that is done at once or later. */
function ended<Result>(span: Span, work: () => Result): Result {
  const fail = (): void => span.setStatus({ code: SpanStatusCode.ERROR }).end()
  try {
    const result = work()
    if (!(result instanceof Promise)) {
      span.end()
      return result
    }
    const settled = result.then(
      (value: unknown) => {
        span.end()
        return value
      },
      (fault: unknown) => {
        fail()
        throw fault
      },
    )
    return settled as Result
  } catch (fault) {
    fail()
    throw fault
  }
}

/** Names of OpenTelemetry's conventions where they have one. */
const STATUS = 'http.response.status_code'

function attributesOf(answered: AnsweredRequest & Pick<AskedRequest, 'endpoint'>) {
  const { status, ...fields } = allowedFields(answered)
  const attributes: Record<string, string | number> = {}
  for (const [name, value] of Object.entries(fields)) attributes[`actchain.${name}`] = value
  return status === undefined ? attributes : { ...attributes, [STATUS]: status }
}
