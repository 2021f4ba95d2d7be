/** What counts as a traceparent, and what is nobody's. Examples are those of the specification (§3.2.4, §3.2.5). */
import { describe, expect, test } from 'vitest'
import { parseTraceparent, traceFacts } from '../../server/core/trace-context.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const SAMPLED = `00-${TRACE}-${SPAN}-01`

describe('a traceparent', () => {
  test('is a trace, a span, and whether they are kept', () => {
    const names = { traceId: TRACE, spanId: SPAN }
    expect(parseTraceparent(SAMPLED)).toEqual({ ...names, isSampled: true })
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-00`)).toEqual({ ...names, isSampled: false })
  })

  test('may have flags nobody here knows, such as level 2 has one for random ids', () => {
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-02`)?.isSampled).toBe(false)
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-ff`)?.isSampled).toBe(true)
  })

  test('goes on record as it came', () => {
    expect(traceFacts(SAMPLED)).toEqual({ traceparent: SAMPLED })
  })
})

describe('N01 what is no traceparent is absent', () => {
  test.each([
    undefined,
    '',
    '00',
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    SAMPLED.toUpperCase(),
    `01-${TRACE}-${SPAN}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-001`,
    `${SAMPLED}-and-more`,
    `${SAMPLED}\n`,
    ` ${SAMPLED}`,
    `${SAMPLED}, ${SAMPLED}`,
    `00-${TRACE}-${SPAN}-0g`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}\u2028-${SPAN}-01`,
    `00-${'a'.repeat(1 << 20)}-${SPAN}-01`,
  ])('%#', (header) => {
    expect(parseTraceparent(header)).toBeUndefined()
    expect(traceFacts(header)).toEqual({})
  })
})
