/** What the log lets out (attack case N05): listed fields, short values, nothing shaped like a token. */
import { describe, expect, test } from 'vitest'
import { createLog, faultReason, type LogFields } from '../../server/telemetry/log.ts'

function recorded(mode: 'production' | 'development') {
  const lines: string[] = []
  const log = createLog({ mode, to: { write: (line: string) => void lines.push(line) } })
  return { log, lines }
}

const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzZW50aW5lbCJ9.c2VudGluZWw'

describe('the log', () => {
  test('writes one JSON line an entry in production', () => {
    const { log, lines } = recorded('production')
    log.child({ tenant: 'acme' }).warn({ event: 'exchange', ref: 'r1', status: 400, ms: 1.5 })
    expect(lines).toHaveLength(1)
    const { time, ...entry } = JSON.parse(lines[0]!)
    expect(entry).toEqual({
      level: 'warn',
      tenant: 'acme',
      event: 'exchange',
      ref: 'r1',
      status: 400,
      ms: 1.5,
    })
    expect(new Date(time).toISOString()).toBe(time)
  })

  test('writes a short line for people in development', () => {
    const { log, lines } = recorded('development')
    log.info({ event: 'exchange', client: 'planner', status: 200 })
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d info {2}exchange client=planner status=200\n$/)
  })

  test('N05 drops every field that is not on the list', () => {
    const { log, lines } = recorded('production')
    const fields = {
      event: 'exchange',
      subject_token: TOKEN,
      secret: 'sentinel',
      err: new Error('sentinel'),
    }
    log.error(fields as LogFields)
    log.child(fields as LogFields).info({ event: 'again' })
    expect(lines.join('')).not.toMatch(/sentinel|eyJ/)
  })

  test('N05 withholds a token put into a listed field, whole or cut', () => {
    const { log, lines } = recorded('production')
    for (const value of [TOKEN, `DPoP ${TOKEN}`, TOKEN.slice(0, 12), 'x'.repeat(513)]) {
      log.info({ event: 'e', reason: value })
    }
    for (const line of lines) expect(JSON.parse(line).reason).toBe('[withheld]')
  })

  test('leaves out values of another type instead of printing them', () => {
    const { log, lines } = recorded('production')
    log.info({
      event: 'e',
      ref: { toString: () => 'sentinel' },
      ms: Number.NaN,
    } as unknown as LogFields)
    expect(Object.keys(JSON.parse(lines[0]!)).sort()).toEqual(['event', 'level', 'time'])
  })

  test.each(['production', 'development'] as const)(
    'I10 no value can write a line of its own in %s',
    (mode) => {
      const { log, lines } = recorded(mode)
      log.info({ event: 'e', client: 'a\n12:00:00 info forged\u001b[31m\u202e\u0085' })
      expect(lines).toHaveLength(1)
      for (const unit of ['\n', '\u001b']) expect(lines[0]!.slice(0, -1)).not.toContain(unit)
      if (mode === 'development') expect(lines[0]!.slice(0, -1)).toMatch(/^[\x20-\x7e]+$/)
    },
  )

  test.each([
    'a\n{"level":"error","event":"forged"}',
    'a\r{"event":"forged"}',
    'a"}{"event":"forged"}',
    '\u001b[2Jgone',
    'a\u2028{"event":"forged"}',
    'a\u2029b\u0085c',
    'x'.repeat(1 << 20),
  ])('N01 whatever a text holds, one event is one record of one line: %#', (text) => {
    const { log, lines } = recorded('production')
    const fields = { event: 'e', tenant: text, client: text, reason: text, ref: text, txn: text }
    log.warn(fields)
    log.child({ client: text }).error({ event: 'again' })
    expect(lines).toHaveLength(2)
    for (const line of lines) {
      expect(line.length).toBeLessThan(4096)
      expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
      expect(JSON.parse(line)).not.toHaveProperty('forged')
      expect(['e', 'again']).toContain(JSON.parse(line).event)
    }
  })

  test.each([
    ['error', ['error']],
    ['info', ['error', 'warn', 'info']],
    ['debug', ['error', 'warn', 'info', 'debug']],
  ] as const)('at %s writes what is at least that', (level, written) => {
    const lines: string[] = []
    const to = { write: (line: string) => void lines.push(line) }
    const log = createLog({ mode: 'production', level, to })
    for (const name of ['error', 'warn', 'info', 'debug'] as const) log[name]({ event: name })
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(written)
  })

  test('a fault is told by its class and place, never by its message', () => {
    const reason = faultReason(new TypeError('sentinel'))
    expect(reason).toMatch(/^TypeError at log\.test\.ts:\d+$/)
    expect(faultReason(Object.assign(new Error('sentinel'), { code: 'ENOSPC' }))).toMatch(
      /^ENOSPC at /,
    )
    expect(faultReason('sentinel')).toBe('not an error')
  })
})
