/** The witness's door: what each answer is on the wire (C2SP tlog-witness), and what it lets in. */
import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createWitnessDoor } from '../../server/http/witness.ts'
import type { WitnessAnswer } from '../../server/use-cases/witness-checkpoint.ts'
import { type JsonServer, startHttp } from '../fetch/json-server.ts'

const HASH = 'a'.repeat(64)

let server: JsonServer
let says: () => Promise<WitnessAnswer>
let bodies: string[]
let faults: unknown[]
let failures: number
let isOver: boolean
beforeEach(async () => {
  says = async () => ({ kind: 'cosigned', line: '\u2014 w AAAA' })
  bodies = []
  faults = []
  failures = 0
  isOver = false
  server = await startHttp(
    createWitnessDoor({
      answer: async (body) => {
        bodies.push(body)
        return says()
      },
      vkey: 'w+00000000+AAAA',
      cosignedOf: (hash) => (hash === HASH ? 'a checkpoint\n' : undefined),
      peers: {
        isOver: () => isOver,
        countFailure: () => {
          failures += 1
        },
      },
      onFault: (fault) => faults.push(fault),
    }),
  )
})
afterEach(() => server.close())

async function ask(
  path: string,
  init: RequestInit = {},
): Promise<{ readonly status: number; readonly type: string | null; readonly text: string }> {
  const response = await fetch(`${server.origin}/witness/v1/${path}`, init)
  const type = response.headers.get('content-type')
  return { status: response.status, type, text: await response.text() }
}

const post = async (body: string | Uint8Array<ArrayBuffer>) =>
  ask('add-checkpoint', { method: 'POST', body })

const TEXT = 'text/plain; charset=utf-8'

test('a cosignature is a line by itself; the body comes as it is', async () => {
  expect(await post('old 0\n\n\u2014\n')).toEqual({
    status: 200,
    type: TEXT,
    text: '\u2014 w AAAA\n',
  })
  expect(bodies).toEqual(['old 0\n\n\u2014\n'])
  expect(failures).toBe(0)
})

test('of what was cosigned last the size is told, and nothing else', async () => {
  says = async () => ({ kind: 'outdated', size: 12 })
  expect(await post('x')).toEqual({ status: 409, type: 'text/x.tlog.size', text: '12\n' })
  expect(failures).toBe(0)
})

test.each([
  ['malformed', 400, 1],
  ['key_unknown', 403, 1],
  ['log_unknown', 404, 1],
  ['inconsistent', 422, 0],
] as const)('%s is %i', async (kind, status, counted) => {
  says = async () => ({ kind })
  const answer = await post('x')
  expect(answer).toMatchObject({ status, type: TEXT })
  expect(answer.text).toMatch(/^[A-Z].*\.\n$/)
  expect(failures).toBe(counted)
})

test('its key, and what it cosigned of a log', async () => {
  expect(await ask('key')).toEqual({ status: 200, type: TEXT, text: 'w+00000000+AAAA\n' })
  expect(await ask(`${HASH}/checkpoint`)).toMatchObject({ status: 200, text: 'a checkpoint\n' })
  expect(await ask(`${HASH}/checkpoint`, { method: 'HEAD' })).toMatchObject({
    status: 200,
    text: '',
  })
  expect((await ask(`${'b'.repeat(64)}/checkpoint`)).status).toBe(404)
  expect((await ask('elsewhere')).status).toBe(404)
  expect((await ask('key/')).status).toBe(404)
})

test('each path has its method', async () => {
  expect((await ask('add-checkpoint')).status).toBe(405)
  expect((await ask('key', { method: 'POST', body: '' })).status).toBe(405)
  expect((await ask(`${HASH}/checkpoint`, { method: 'PUT', body: '' })).status).toBe(405)
})

describe('M05 what comes in is bounded', () => {
  test('a body that says it is too large is not read, nor one that does not say', async () => {
    expect((await post('x'.repeat(70_000))).status).toBe(413)
    const status = await new Promise((resolve) => {
      const sending = request(`${server.origin}/witness/v1/add-checkpoint`, { method: 'POST' })
      sending.on('response', (response) => resolve(response.statusCode))
      sending.on('error', () => {})
      for (let sent = 0; sent < 70; sent += 1) sending.write('x'.repeat(1024))
    })
    expect(status).toBe(413)
    expect(bodies).toEqual([])
    expect(failures).toBe(2)
  })

  test('what is no UTF-8 is no request', async () => {
    expect((await post(Uint8Array.of(0xff))).status).toBe(400)
    expect(bodies).toEqual([])
  })

  test('an address whose requests failed too often is not listened to', async () => {
    isOver = true
    expect((await post('x')).status).toBe(429)
    expect(bodies).toEqual([])
  })
})

test('a fault is 503 and says nothing', async () => {
  says = async () => Promise.reject(new Error('secret of the disk'))
  expect(await post('x')).toEqual({
    status: 503,
    type: TEXT,
    text: 'The server cannot tell now.\n',
  })
  expect(faults).toEqual([new Error('secret of the disk')])
})
