/** What is said of an ending (CAEP 1.0, SSF 1.0): type, subject, cause. */
import { describe, expect, test } from 'vitest'
import {
  contentsOf,
  EVENT_TYPES,
  type SecurityEvent,
  subjectIdOf,
} from '../../server/core/security-event.ts'
import { anAgent, aTenant, aTrustedIssuer, IDP, ISSUER, NOW } from './facts.ts'

const partner = aTrustedIssuer({
  id: 'partner',
  issuer: 'https://partner.example',
  subjectPrefix: 'p:',
})
const base = aTenant()
const tenant = {
  ...base,
  trustedIssuers: new Map([...base.trustedIssuers, [partner.issuer, partner]]),
  agents: new Map([...base.agents, ['planner', anAgent('planner')]]),
}
const task = { txn: 'txn-1', subject: 'alice', subjectFrom: { issuer: 'idp' }, rootJti: 'root-1' }
const ending = { at: NOW + 0.9, by: 'operator', reason: 'looked wrong' }

const only = (event: SecurityEvent) => {
  const contents = contentsOf(tenant, event, NOW + 2)
  expect(contents).toHaveLength(1)
  return contents[0]!
}
const membersOf = (by: string, reason = 'r') =>
  only({ kind: 'task_ended', task: { ...task, state: 'revoked' }, ending: { at: NOW, by, reason } })
    .members

test('a revoked task is its subject’s session', () => {
  const event = { kind: 'task_ended', task: { ...task, state: 'revoked' }, ending } as const
  expect(only(event)).toEqual({
    type: EVENT_TYPES.sessionRevoked,
    subject: { format: 'iss_sub', iss: IDP, sub: 'alice' },
    members: {
      event_timestamp: NOW,
      initiating_entity: 'admin',
      reason_admin: { en: 'looked wrong' },
    },
    txn: 'txn-1',
    issuedAt: NOW + 2,
  })
})

test.each([
  ['closed', { kind: 'task_ended', task: { ...task, state: 'closed' }, ending }, ''],
  ['suspended', { kind: 'task_ended', task: { ...task, state: 'suspended' }, ending }, ''],
  ['resumed', { kind: 'task_resumed', task, ending, scope: ['a', 'b'] }, 'a b'],
] as const)(
  'a task that is %s has another scope, and leaves its subject alone',
  (_, event, scope) => {
    const { type, subject, members, txn } = only(event)
    expect(type).toBe(EVENT_TYPES.tokenClaimsChange)
    expect(subject).toEqual({ format: 'jwt_id', iss: ISSUER, jti: 'root-1' })
    expect(members).toMatchObject({ claims: { scope } })
    expect(txn).toMatch(/^txn-1\../)
  },
)

test('SSF-4-05: tokens of one cause share a txn, those of another have another', () => {
  const revoked = (...jtis: string[]) =>
    contentsOf(tenant, { kind: 'tokens_revoked', task, ending, jtis }, NOW)
  const [one, two] = revoked('a', 'b')
  expect([one?.subject, two?.subject]).toEqual([
    { format: 'jwt_id', iss: ISSUER, jti: 'a' },
    { format: 'jwt_id', iss: ISSUER, jti: 'b' },
  ])
  expect(one?.txn).toBe(two?.txn)
  expect(revoked('c')[0]?.txn).not.toBe(one?.txn)
  expect(revoked()).toEqual([])
})

test('everything of a subject is told once, by the revocation’s id', () => {
  const subject = { id: 'p:alice', revocation: 'revocation-1' }
  expect(only({ kind: 'subject_revoked', subject, ending })).toMatchObject({
    type: EVENT_TYPES.sessionRevoked,
    subject: { format: 'iss_sub', iss: partner.issuer, sub: 'alice' },
    txn: 'revocation-1',
  })
})

describe('CAEPI-03: a subject as its own issuer names it', () => {
  test.each([
    ['alice', { issuer: 'idp' }, IDP, 'alice'],
    ['p:alice', { issuer: 'partner' }, partner.issuer, 'alice'],
    ['p:alice', undefined, partner.issuer, 'alice'],
    ['alice', undefined, IDP, 'alice'],
    ['planner', undefined, ISSUER, 'planner'],
    ['alice', { issuer: 'gone' }, ISSUER, 'alice'],
  ] as const)('%s of %o', (subject, from, iss, sub) => {
    expect(subjectIdOf(tenant, subject, from)).toEqual({ format: 'iss_sub', iss, sub })
  })
})

describe('CAEP-opt-01: who began it', () => {
  test.each([
    ['operator', 'admin'],
    ['idp:alice', 'user'],
    ['idp:dave', 'admin'],
    ['idp:evil:alice', 'admin'],
    ['partner:alice', 'admin'],
    ['agent:planner', 'system'],
    ['transmitter:hr', 'system'],
    ['trigger', 'policy'],
    ['facts', 'policy'],
  ])('%s is %s', (by, entity) => {
    expect(membersOf(by)['initiating_entity']).toBe(entity)
  })
})

test('CAEPI-01: a reason is never empty, and bounded', () => {
  const reason = (text: string) =>
    (membersOf('operator', text)['reason_admin'] as { en: string }).en
  expect(reason('')).toBe('No reason was given.')
  expect(reason(' \n')).toBe('No reason was given.')
  expect(reason('x'.repeat(2000))).toHaveLength(512)
  expect(reason('a\ud800')).toBe('a\ufffd')
})
