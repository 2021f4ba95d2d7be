/**
 * Earliest and latest time of 256, 256^2 and 256^3 entries that follow each other, so that a search by time passes over what
 * is too early or too late. Clocks of processes differ and may be set back: nothing here needs times in order.
 */
import type { Environment } from '../store/embedded/environment.ts'
import { BLOCK, spanKey } from './index-keys.ts'

const LEVELS = 3

export interface Span {
  readonly earliest: number
  readonly latest: number
}

export interface Period {
  readonly from?: number | undefined
  readonly to?: number | undefined
}

export function widened(span: Span | undefined, time: number): Span {
  if (span === undefined) return { earliest: time, latest: time }
  if (time >= span.earliest && time <= span.latest) return span
  return { earliest: Math.min(span.earliest, time), latest: Math.max(span.latest, time) }
}

/** @param blocks what is new, by block */
export function writeSpans(
  environment: Environment,
  log: number,
  blocks: ReadonlyMap<number, Span>,
): void {
  let spans = blocks
  for (let level = 1; level <= LEVELS; level += 1) {
    const above = new Map<number, Span>()
    for (const [number, span] of spans) {
      writeSpan(environment, spanKey(log, level, number), span)
      const over = Math.floor(number / BLOCK)
      above.set(over, widened(widened(above.get(over), span.earliest), span.latest))
    }
    spans = above
  }
}

function writeSpan(environment: Environment, key: Buffer, added: Span): void {
  const before = readSpan(environment, key)
  const span = before === undefined ? added : widened(widened(before, added.earliest), added.latest)
  if (span === before) return
  const value = Buffer.alloc(16)
  value.writeDoubleBE(span.earliest, 0)
  value.writeDoubleBE(span.latest, 8)
  environment.put(key, value)
}

function readSpan(environment: Environment, key: Buffer): Span | undefined {
  const value = environment.get(key)
  if (value === undefined) return undefined
  return { earliest: value.readDoubleBE(0), latest: value.readDoubleBE(8) }
}

export interface SpanFound {
  /** First index of the largest span around `index` that has nothing in the period, and how many it spans; undefined: look there. */
  readonly empty: { readonly start: number; readonly size: number } | undefined
  readonly seeks: number
}

export function emptySpanAt(
  environment: Environment,
  { log, index }: { readonly log: number; readonly index: number },
  { from = -Infinity, to = Infinity }: Period,
): SpanFound {
  for (let level = LEVELS; level > 0; level -= 1) {
    const size = BLOCK ** level
    const number = Math.floor(index / size)
    const span = readSpan(environment, spanKey(log, level, number))
    if (span === undefined || span.latest < from || span.earliest >= to) {
      return { empty: { start: number * size, size }, seeks: LEVELS - level + 1 }
    }
  }
  return { empty: undefined, seeks: LEVELS }
}
