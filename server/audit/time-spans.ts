/**
 * Earliest and latest time of entries that follow each other, 256 of them, 16 times as many, and so on: a search by time passes
 * over what is too early or too late. Clocks of processes differ and may be set back: nothing here needs times in order.
 */
import type { Environment } from '../store/embedded/environment.ts'
import { spanKey } from './index-keys.ts'

const SMALLEST = 256
const FACTOR = 16
/** The largest has 16 million entries. */
const LEVELS = 5

export interface Span {
  readonly earliest: number
  readonly latest: number
}

/** `from <= time < to`. */
export interface Period {
  readonly from?: number | undefined
  readonly to?: number | undefined
}

export const spanOf = (index: number): number => Math.floor(index / SMALLEST)

export function widened(span: Span | undefined, time: number): Span {
  if (span === undefined) return { earliest: time, latest: time }
  if (time >= span.earliest && time <= span.latest) return span
  return { earliest: Math.min(span.earliest, time), latest: Math.max(span.latest, time) }
}

/** @param added what is new of the smallest spans */
export function writeSpans(
  environment: Environment,
  log: number,
  added: ReadonlyMap<number, Span>,
): void {
  let spans = added
  for (let level = 0; level < LEVELS; level += 1) {
    const above = new Map<number, Span>()
    for (const [number, span] of spans) {
      writeSpan(environment, spanKey(log, level, number), span)
      const over = Math.floor(number / FACTOR)
      above.set(over, both(above.get(over), span))
    }
    spans = above
  }
}

function both(span: Span | undefined, { earliest, latest }: Span): Span {
  return widened(widened(span, earliest), latest)
}

function writeSpan(environment: Environment, key: Buffer, added: Span): void {
  const before = readSpan(environment, key)
  const span = both(before, added)
  if (span === before) return
  const value = Buffer.alloc(16)
  value.writeDoubleBE(span.latest, value.writeDoubleBE(span.earliest, 0))
  environment.put(key, value)
}

function readSpan(environment: Environment, key: Buffer): Span | undefined {
  const value = environment.get(key)
  if (value === undefined) return undefined
  return { earliest: value.readDoubleBE(0), latest: value.readDoubleBE(8) }
}

/** The largest span around `index` without anything in the period; undefined: the smallest one may have some. */
export function emptySpanAt(
  environment: Environment,
  { log, index }: { readonly log: number; readonly index: number },
  { from = -Infinity, to = Infinity }: Period,
): { readonly start: number; readonly size: number } | undefined {
  for (let level = LEVELS - 1; level >= 0; level -= 1) {
    const size = SMALLEST * FACTOR ** level
    const number = Math.floor(index / size)
    const span = readSpan(environment, spanKey(log, level, number))
    if (span === undefined || span.latest < from || span.earliest >= to) {
      return { start: number * size, size }
    }
  }
  return undefined
}
