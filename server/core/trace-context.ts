/**
 * W3C Trace Context, level 2: the caller's place in a trace, as its `traceparent` header says it. Anyone may send one, so it is a
 * name to find things by and never decides anything.
 * Spec: https://www.w3.org/TR/trace-context-2/#traceparent-header
 */

export interface TraceParent {
  /** 32 hex digits, not all zero. */
  readonly traceId: string
  /** 16 hex digits, not all zero: the caller's span. */
  readonly spanId: string
  /** The caller keeps what it traces of this. */
  readonly isSampled: boolean
}

/** §3.2.2: version 00 alone; ids of zeros are none. Lower case, and nothing around it. */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/
/** §3.2.2.5.1: the lowest bit of the flags. */
const SAMPLED = 1

/** Undefined where the header is absent, stands twice, or is not what version 00 writes. */
export function parseTraceparent(header: string | undefined): TraceParent | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(header ?? '') ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED }
}

/** For the audit entry: the header as it came, where it is well-formed. 55 characters of hex digits and hyphens. */
export function traceFacts(header: string | undefined): { readonly traceparent?: string } {
  return header !== undefined && TRACEPARENT.test(header) ? { traceparent: header } : {}
}
