/**
 * What is told of requests while they are answered, for metrics, traces and the log. It decides nothing, and nothing waits for it:
 * what has to be known is on record.
 */
import type { AuditEntry } from './audit-log.ts'

export const WATCHED_ENDPOINTS = [
  'token',
  'introspection',
  'revocation',
  'management',
  'sign_in',
  'security_event',
] as const
export type WatchedEndpoint = (typeof WATCHED_ENDPOINTS)[number]

/** Parts of a request that are timed by themselves where somebody traces. */
export const SPAN_NAMES = ['authenticate', 'prove', 'decide', 'store', 'sign', 'audit'] as const
export type SpanName = (typeof SPAN_NAMES)[number]

export interface AskedRequest {
  readonly endpoint: WatchedEndpoint
  /** As the caller sent it: whoever reads it takes it as nobody's where it is not well-formed. */
  readonly traceparent: string | undefined
}

/** Ids and reasons only. */
export interface AnsweredRequest {
  readonly ref: string
  /** A tenant there is, or the platform: no text of a caller. */
  readonly tenant: string
  readonly status: number
  readonly outcome: AuditEntry['outcome']
  /** Public reason of a refusal. */
  readonly reason?: string
  /** Authenticated, not only named. */
  readonly client?: string
  readonly txn?: string
}

export interface Telemetry {
  /** Runs the work of one request, and tells how it was answered. Rejects as the work does. */
  request(asked: AskedRequest, work: () => Promise<AnsweredRequest>): Promise<void>
  /** Runs a part of it. What it returns, resolves with or throws is the work's. */
  span<Result>(name: SpanName, work: () => Result): Result
}

/** Tells nobody. */
export const NO_TELEMETRY: Telemetry = {
  request: async (_, work) => void (await work()),
  span: (_, work) => work(),
}
