/** Events of others when something fails in the middle: none is lost that will be sent again, and no copy ends what is newer. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { EventTransmitter } from '../../server/core/tenant.ts'
import {
  type InboundEvent,
  LONGEST_WAY,
  receiveEvent,
} from '../../server/use-cases/receive-event.ts'
import { IDP, NOW } from '../core/facts.ts'
import { aRecord, aTree, type EndingStage, endingStage } from './ending-deps.ts'

const transmitter: EventTransmitter = {
  id: 'hr',
  issuer: 'https://hr.example',
  audience: 'https://as.example/t/acme',
  keys: { jwks: [] },
  algorithms: ['RS256'],
  subjectsOf: 'idp',
}
const event: InboundEvent = {
  jti: 'event-1',
  issuedAt: NOW - 10,
  type: 'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
  subject: { iss: IDP, sub: 'alice' },
}

let stage: EndingStage
beforeEach(() => {
  stage = endingStage()
})

async function receive(parts: Partial<InboundEvent> = {}): Promise<void> {
  const { deps, tenant, store } = stage
  const input = { tenant, transmitter, event: { ...event, ...parts }, record: aRecord() }
  return receiveEvent({ ...deps, replay: store.replay }, input)
}

async function stateOf(txn: string): Promise<unknown> {
  return (await stage.store.tasks.readTask('acme', txn))?.task.state
}

describe.each(['beginRevocation', 'liveTasks', 'revokeIn', 'journal', 'emit', 'finishRevocation'])(
  'when %s fails',
  (verb) => {
    test('it is not acknowledged, and does all of it when it comes again, as often as it takes', async () => {
      await aTree(stage, 'old', { openedAt: NOW - 60 })
      stage.fail(verb)
      for (let n = 0; n < 3; n += 1) await expect(receive()).rejects.toThrow(`${verb} failed`)
      stage.fail()
      await receive()
      expect(await stateOf('old')).toBe('revoked')
      expect(stage.entries.at(-1)).toMatchObject({ outcome: 'permit', subject: 'alice' })
      expect(stage.events.at(-1)).toMatchObject({
        kind: 'subject_revoked',
        subject: { id: 'alice' },
      })
    })
  },
)

test('the first time it ends all there is; again, nothing that is newer', async () => {
  await aTree(stage, 'between', { openedAt: NOW - 5 })
  await receive()
  expect(await stateOf('between')).toBe('revoked')
  await aTree(stage, 'after', { openedAt: NOW })
  for (let copy = 0; copy < 3; copy += 1) await receive()
  expect(await stateOf('after')).toBe('open')
  expect(stage.entries.slice(1).map(({ guard }) => guard)).toEqual(Array(3).fill('event_repeated'))
  expect(stage.events).toHaveLength(1)
})

test('after a fault a copy ends what was there when the event was made, and nothing since', async () => {
  await aTree(stage, 'before', { openedAt: NOW - 20 })
  stage.fail('beginRevocation')
  await expect(receive()).rejects.toThrow()
  stage.fail()
  await aTree(stage, 'since', { openedAt: NOW - 5 })
  await receive()
  expect([await stateOf('before'), await stateOf('since')]).toEqual(['revoked', 'open'])
})

test('an id is one transmitter’s and one event’s', async () => {
  await receive()
  await aTree(stage, 'next', { openedAt: NOW })
  await receive({ jti: 'event-2' })
  expect(await stateOf('next')).toBe('revoked')
})

test('a claim outlives its event', async () => {
  await receive()
  stage.now = event.issuedAt + LONGEST_WAY - 1
  await aTree(stage, 'late', { openedAt: stage.now, deadline: stage.now + 900 })
  await receive()
  expect(await stateOf('late')).toBe('open')
})
