/** Spans as a collector gets them: whose they are, what they say, and that nobody waits for them. */
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTraces, type Traces } from '../../server/telemetry/traces.ts'
import type { AnsweredRequest } from '../../server/use-cases/ports.ts'
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const SAMPLED = `00-${TRACE}-${SPAN}-01`
const ANSWERED: AnsweredRequest = {
  ref: 'ref-1',
  tenant: 'acme',
  status: 400,
  outcome: 'refuse',
  reason: 'task_ended',
  client: 'planner',
  txn: 'txn-1',
}

let receiver: OtlpReceiver
let traces: Traces
let failures: unknown[]
beforeEach(async () => {
  receiver = await startOtlpReceiver()
  failures = []
  traces = createTraces({
    url: `${receiver.url}/v1/traces`,
    version: '1.2.3',
    onFailure: (fault) => failures.push(fault),
  })
})
afterEach(async () => {
  await traces.close()
  await receiver.close()
})

const ask = (traceparent?: string, work: () => Promise<AnsweredRequest> = async () => ANSWERED) =>
  traces.request({ endpoint: 'token', traceparent }, work)

describe('a request', () => {
  test('is one span under the caller’s, with ids and reasons alone', async () => {
    expect(await ask(SAMPLED)).toBe(ANSWERED)
    await traces.close()
    expect(receiver.paths).toEqual(['POST /v1/traces'])
    expect(receiver.spans()).toEqual([
      {
        name: 'token',
        traceId: TRACE,
        parentSpanId: SPAN,
        spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
        kind: 2,
        status: 0,
        attributes: {
          'actchain.endpoint': 'token',
          'actchain.tenant': 'acme',
          'actchain.outcome': 'refuse',
          'actchain.reason': 'task_ended',
          'actchain.client': 'planner',
          'actchain.ref': 'ref-1',
          'actchain.txn': 'txn-1',
          'http.response.status_code': 400,
        },
      },
    ])
  })

  test('is kept nowhere where its caller keeps nothing of it', async () => {
    await ask(SAMPLED.replace(/01$/, '00'), async () => traces.span('decide', async () => ANSWERED))
    await traces.close()
    expect(receiver.texts).toEqual([])
  })

  test.each([undefined, 'no traceparent', `${SAMPLED}-more`])(
    'of %s begins a trace of its own',
    async (traceparent) => {
      await ask(traceparent)
      await traces.close()
      const [span] = receiver.spans()
      expect(span?.traceId).toMatch(/^[0-9a-f]{32}$/)
      expect(span?.traceId).not.toBe(TRACE)
      expect(span?.parentSpanId ?? '').toBe('')
    },
  )

  test('that failed says so, and nothing of why', async () => {
    const broken = async (): Promise<AnsweredRequest> => {
      await traces.span('store', () => Promise.reject(new Error('sentinel')))
      return ANSWERED
    }
    await expect(ask(SAMPLED, broken)).rejects.toThrow('sentinel')
    await ask(SAMPLED, async () => ({ ...ANSWERED, status: 503 }))
    await traces.close()
    expect(receiver.spans().map(({ name, status: code }) => [name, code])).toEqual([
      ['store', 2],
      ['token', 2],
      ['token', 2],
    ])
    expect(receiver.texts.join('')).not.toContain('sentinel')
  })

  test('N05 a token in a field that may be told is withheld', async () => {
    const token = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzZW50aW5lbCJ9.c2VudGluZWw'
    const answered = { ...ANSWERED, reason: token, client: 'x'.repeat(513), note: 'sentinel' }
    await ask(SAMPLED, async () => answered)
    await traces.close()
    const [span] = receiver.spans()
    expect(span?.attributes).toMatchObject({
      'actchain.reason': '[withheld]',
      'actchain.client': '[withheld]',
    })
    expect(receiver.texts.join('')).not.toMatch(/sentinel|eyJ/)
  })
})

describe('a part of a request', () => {
  test('is a span under the part it is a part of, whoever else asks at the same time', async () => {
    const work = (ref: string) => async () => {
      await traces.span('decide', async () => {
        await pause(1)
        traces.span('store', () => undefined)
        await traces.span('audit', () => pause(1))
      })
      return { ...ANSWERED, ref }
    }
    await Promise.all(['a', 'b', 'c'].map((ref) => ask(SAMPLED, work(ref))))
    await traces.close()
    const spans = receiver.spans()
    expect(spans).toHaveLength(12)
    const requests = spans.filter(({ name }) => name === 'token')
    expect(new Set(requests.map(({ attributes }) => attributes['actchain.ref'])).size).toBe(3)
    for (const { spanId } of requests) {
      const [decide, ...others] = spans.filter(({ parentSpanId }) => parentSpanId === spanId)
      expect([decide?.name, others]).toEqual(['decide', []])
      const parts = spans.filter(({ parentSpanId }) => parentSpanId === decide?.spanId)
      expect(parts.map(({ name }) => name).sort()).toEqual(['audit', 'store'])
    }
  })

  test('is only done where nobody asked', async () => {
    expect(traces.span('store', () => 7)).toBe(7)
    await expect(traces.span('store', () => Promise.reject(new Error('x')))).rejects.toThrow('x')
    expect(() =>
      traces.span('store', () => {
        throw new RangeError('y')
      }),
    ).toThrow(RangeError)
    await traces.close()
    expect(receiver.texts).toEqual([])
  })

  test('gives back what the work gave back', async () => {
    const given: unknown[] = []
    await ask(SAMPLED, async () => {
      given.push(traces.span('sign', () => 'at once'))
      given.push(await traces.span('sign', async () => 'later'))
      expect(() =>
        traces.span('sign', () => {
          throw new RangeError('y')
        }),
      ).toThrow(RangeError)
      return ANSWERED
    })
    expect(given).toEqual(['at once', 'later'])
  })
})

describe('a collector', () => {
  test('that refuses is told, and stops no request', async () => {
    receiver.answerWith(400)
    expect(await ask(SAMPLED)).toBe(ANSWERED)
    await traces.close()
    expect(failures).toHaveLength(1)
  })

  test('that is away is told at the end, which comes all the same', async () => {
    await receiver.close()
    expect(await ask(SAMPLED)).toBe(ANSWERED)
    await traces.close()
    expect(await ask(SAMPLED)).toBe(ANSWERED)
  })
})
