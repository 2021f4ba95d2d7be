/**
 * A fault anywhere is 503 and nothing else: no token, told to operators once under the reference the caller has, and no
 * hop left alive. The next request, without the fault, is served.
 */
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Answer } from '../support/agent-client.ts'
import { payloadOf } from '../support/signing.ts'
import { type Fault, type FaultyServer, INSIDE, startFaultyServer } from './faulty-server.ts'

let server: FaultyServer
/** planner's token for alice, addressed to researcher. */
let first: string
beforeAll(async () => {
  server = await startFaultyServer()
  first = tokenOf(await open())
})
beforeEach(() => {
  server.logged.length = 0
  server.claims.length = 0
})
afterEach(() => server.fail())
afterAll(() => server.close())

const open = (): Promise<Answer> =>
  server.planner.open(server.idToken(), { audience: 'researcher-a2a', scope: 'files:read' })
const exchange = (): Promise<Answer> =>
  server.researcher.exchange(first, { audience: 'files-api', scope: 'files:read' })

/** A root exchange, and one under it. */
const SEND = { open, exchange }

function tokenOf(answer: Answer): string {
  const token: unknown = answer.body['access_token']
  if (typeof token !== 'string') throw new Error(`no token: ${answer.status} ${answer.text}`)
  return token
}

/** The whole answer, and what operators were told. */
function expectUnavailable(answer: Answer): void {
  expect({ status: answer.status, body: answer.body }).toEqual({
    status: 503,
    body: {
      error: 'temporarily_unavailable',
      error_description: 'the server cannot decide now: try again',
      reason: 'unavailable',
      error_ref: expect.any(String),
    },
  })
  expect(answer.headers.get('retry-after')).toBe('1')
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
  expect(answer.text).not.toMatch(/eyJ[\w-]*\./)
  expect(`${answer.text}${inspect([...answer.headers])}`).not.toContain(INSIDE)
  expect(server.logged).toEqual([
    { ref: answer.body['error_ref'], tenant: 'acme', fault: expect.any(Error) },
  ])
}

/** Of every token that was about to be signed, the hop is revoked or was never there. */
async function expectNoHopAlive(): Promise<void> {
  for (const { txn, jti } of server.claims) {
    const found = await server.store.tasks.findHop('acme', txn, jti)
    expect(found?.hop.revoked ?? true).toBe(true)
  }
}

const BEFORE_SIGNING: readonly (readonly [Fault, keyof typeof SEND])[] = [
  ['claim assertion', 'open'],
  ['claim proof', 'open'],
  ['issuer keys', 'open'],
  ['rules', 'open'],
  ['allocate', 'open'],
  ['open task', 'open'],
  ['claim assertion', 'exchange'],
  ['claim proof', 'exchange'],
  ['count', 'exchange'],
  ['keyring', 'exchange'],
  ['find hop', 'exchange'],
  ['rules', 'exchange'],
  ['allocate', 'exchange'],
  ['record hop', 'exchange'],
]

describe('a fault before anything is signed', () => {
  test.each(BEFORE_SIGNING)('%s in an %s: 503, on record, no token made', async (fault, kind) => {
    const send = SEND[kind]
    const before = server.entries().length
    server.fail(fault)
    const answer = await send()
    expectUnavailable(answer)
    expect(server.claims).toEqual([])
    expect(server.entries().slice(before)).toEqual([
      expect.objectContaining({
        ref: answer.body['error_ref'],
        outcome: 'refuse',
        reason: 'unavailable',
        guard: 'fault',
      }),
    ])
    server.fail()
    tokenOf(await send())
  })
})

const AFTER_CLAIM: readonly (readonly [Fault, keyof typeof SEND])[] = [
  ['mint', 'open'],
  ['mint', 'exchange'],
  ['audit write', 'open'],
  ['audit write', 'exchange'],
  ['audit part of a write', 'open'],
  ['audit part of a write', 'exchange'],
  ['audit sync', 'open'],
  ['audit sync', 'exchange'],
]

describe('a fault after the hop was claimed', () => {
  test.each(AFTER_CLAIM)('%s in an %s: 503, and the hop is revoked', async (fault, kind) => {
    const send = SEND[kind]
    server.fail(fault)
    expectUnavailable(await send())
    expect(server.claims).toHaveLength(1)
    const [{ txn, jti } = { txn: '', jti: '' }] = server.claims
    expect(await server.store.tasks.findHop('acme', txn, jti)).toMatchObject({
      hop: { revoked: true },
    })
    server.fail()
    tokenOf(await send())
  })

  test.each([
    ['mint', 'revoke hop'],
    ['audit write', 'revoke hop'],
  ] as const)('%s and %s: still 503, told once, and no token', async (...faults) => {
    server.fail(...faults)
    expectUnavailable(await exchange())
    expect(server.claims).toHaveLength(1)
    server.fail()
    tokenOf(await exchange())
  })

  test('the log a write was torn in still has every whole entry', async () => {
    const before = server.entries().length
    server.fail('audit part of a write')
    expectUnavailable(await exchange())
    server.fail()
    const { jti } = payloadOf(tokenOf(await exchange()))
    const entries = server.entries().slice(before)
    expect(entries.filter(({ code }) => code === 'token.issued')).toEqual([
      expect.objectContaining({ outcome: 'permit', jti }),
    ])
    // The token whose entry may be on disk is taken back, through the journal if need be.
    expect(entries.filter(({ code }) => code === 'token.withdrawn')).toHaveLength(1)
  })
})

describe('a fault of the audit log alone', () => {
  test('keeps a refusal back: nobody is told a decision that is not on record', async () => {
    server.fail('audit write')
    const answer = await server.researcher.exchange(first, { audience: 'pay-api' })
    expectUnavailable(answer)
  })

  test('keeps a failed client authentication back too', async () => {
    server.fail('audit write')
    expectUnavailable(await server.researcher.exchange(first, {}, { assertion: { aud: 'x' } }))
  })

  test('of ten requests at once makes ten times 503 and no hop alive', async () => {
    server.fail('audit sync')
    const answers = await Promise.all(Array.from({ length: 10 }, exchange))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 503))
    const refs = answers.map(({ body }) => String(body['error_ref']))
    expect(server.logged.map(({ ref }) => ref).sort()).toEqual(refs.sort())
    // Those that come once it is known to fail claim nothing.
    expect(server.claims.length).toBeGreaterThan(0)
    await expectNoHopAlive()
  })
})

describe('other endpoints', () => {
  test('a revocation that cannot be written is not acknowledged', async () => {
    const token = tokenOf(await exchange())
    server.fail('revoke hop')
    expectUnavailable(await server.researcher.revoke(token))
    server.fail()
    expect((await server.researcher.introspect(token)).body).toMatchObject({ active: true })
    expect((await server.researcher.revoke(token)).status).toBe(200)
    expect((await server.researcher.introspect(token)).text).toBe('{"active":false}')
  })

  test('one whose entry is in the journal alone is', async () => {
    const token = tokenOf(await exchange())
    server.fail('audit write')
    expect((await server.researcher.revoke(token)).status).toBe(200)
    server.fail()
    expect((await server.researcher.introspect(token)).text).toBe('{"active":false}')
  })

  test('introspection says neither active nor inactive when it cannot know', async () => {
    const token = tokenOf(await exchange())
    server.fail('find hop')
    const answer = await server.researcher.introspect(token)
    expectUnavailable(answer)
    expect(answer.body).not.toHaveProperty('active')
  })
})

test('a hop that cannot be settled is a token all the same', async () => {
  server.fail('settle hop')
  const { txn, jti } = payloadOf(tokenOf(await exchange()))
  expect(await server.store.tasks.findHop('acme', txn, jti)).toMatchObject({
    hop: { revoked: false },
  })
  expect(server.logged).toEqual([])
})
