/** Whose a task is: every role and every verb, and nobody else. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AuthorRole } from '../../server/core/author-role.ts'
import {
  mayEnd,
  mayReadAll,
  type OwnedTask,
  TASK_VERBS,
  type TaskAuthor,
  type TaskVerb,
} from '../../server/core/may-end.ts'
import { ROLES } from '../../server/core/tenant.ts'

const OPENED = 1_800_000_000
/** planner for alice; researcher and coder work in it. */
const TASK: OwnedTask = {
  opener: 'planner',
  subject: 'alice',
  subjectFrom: { issuer: 'idp' },
  openedAt: OPENED,
}
const PLACES = ['planner', 'planner/researcher', 'planner/researcher/coder', 'planner/coder']
const EVERY_ROLE: readonly AuthorRole[] = [
  ...ROLES,
  'operator',
  'subject',
  'agent',
  'receiver',
  'resource',
]

function author(role: AuthorRole, id: string, parts: Partial<TaskAuthor> = {}): TaskAuthor {
  const name = role === 'subject' ? `idp:${id}` : `${role}:${id}`
  return { name, id, roles: [role], registeredAt: undefined, ...parts }
}

const ALL = TASK_VERBS
const OWN: readonly TaskVerb[] = ['read', 'close', 'revoke_task', 'revoke_place']

/** What each may with TASK; `revoke_place` at a place that goes through researcher. */
const TABLE: readonly (readonly [string, TaskAuthor, readonly TaskVerb[]])[] = [
  ['the operator', author('operator', 'operator'), ALL],
  ['an admin', author('admin', 'dave'), ALL],
  ['helpdesk', author('helpdesk', 'dave'), ALL],
  ['a reviewer', author('reviewer', 'dave'), ['read']],
  ['an author of policies', author('policy_author', 'dave'), []],
  ['a receiver of events', author('receiver', 'siem'), []],
  ['its subject', author('subject', 'alice'), OWN],
  ['another person', author('subject', 'bob'), []],
  ['its opener', author('agent', 'planner'), OWN],
  ['an agent in it', author('agent', 'researcher'), ['revoke_place']],
  ['an agent beside it', author('agent', 'rogue'), []],
  ['a person called like its opener', author('subject', 'planner'), []],
  ['an agent called like its subject', author('agent', 'alice'), []],
  ['a receiver called like its opener', author('receiver', 'planner'), []],
  ['a resource server called like its opener', author('resource', 'planner'), []],
  ['nobody', author('agent', 'planner', { roles: [] }), []],
  ['the subject’s name at another issuer', author('subject', 'alice', { name: 'b:alice' }), []],
]

describe('who may end a task', () => {
  test.each(TABLE)('%s', (_, who, verbs) => {
    const place = 'planner/researcher/coder'
    expect(TASK_VERBS.filter((verb) => mayEnd(who, verb, TASK, place))).toEqual(verbs)
  })

  test('roles add up', () => {
    const both = author('subject', 'alice', { roles: ['reviewer', 'subject'] })
    expect(TASK_VERBS.filter((verb) => mayEnd(both, verb, TASK, 'planner'))).toEqual(OWN)
  })

  test.each([
    ['planner', []],
    ['researcher', ['planner/researcher', 'planner/researcher/coder']],
    ['coder', ['planner/researcher/coder', 'planner/coder']],
    ['research', []],
  ])('an agent within takes out what goes through itself: %s', (id, places) => {
    // Not its opener: of a task of somebody else.
    const task = { ...TASK, opener: 'other' }
    const ours = PLACES.map((place) => place.replace(/^planner/, 'other'))
    const taken = ours.filter((place) => mayEnd(author('agent', id), 'revoke_place', task, place))
    expect(taken.map((place) => place.replace(/^other/, 'planner'))).toEqual(places)
  })

  test('no place is named, none is taken out by an agent within', () => {
    expect(mayEnd(author('agent', 'researcher'), 'revoke_place', TASK)).toBe(false)
  })

  test('E10 an agent that came back under the id of another has none of its tasks and places', () => {
    for (const [registeredAt, isOwn] of [
      [OPENED - 1, true],
      [OPENED, false],
      [OPENED + 1, false],
    ] as const) {
      expect(mayEnd(author('agent', 'planner', { registeredAt }), 'close', TASK)).toBe(isOwn)
      const within = author('agent', 'researcher', { registeredAt })
      expect(mayEnd(within, 'revoke_place', TASK, 'planner/researcher')).toBe(isOwn)
    }
  })

  test('a task of an agent’s own has no person as its subject', () => {
    const own = { ...TASK, subject: 'planner', subjectFrom: undefined }
    for (const name of ['undefined:planner', 'idp:planner', ':planner', 'planner']) {
      expect(mayEnd(author('subject', 'planner', { name }), 'read', own)).toBe(false)
    }
    expect(mayEnd(author('agent', 'planner'), 'close', own)).toBe(true)
  })

  test('every task is read by staff alone', () => {
    const readers = EVERY_ROLE.filter((role) => mayReadAll([role]))
    expect(readers).toEqual(['admin', 'helpdesk', 'reviewer', 'operator'])
    expect(mayReadAll([])).toBe(false)
  })

  const id = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/)
  test('nobody who is not named gets anything', () => {
    const strangers = fc.record({
      roles: fc.uniqueArray(
        fc.constantFrom<AuthorRole>('policy_author', 'subject', 'agent', 'receiver', 'resource'),
      ),
      id,
      issuer: id,
      verb: fc.constantFrom(...TASK_VERBS),
      place: fc.option(fc.array(id, { minLength: 1, maxLength: 8 }), { nil: undefined }),
      task: fc.record({ opener: id, subject: id, issuer: fc.option(id, { nil: undefined }) }),
    })
    fc.assert(
      fc.property(strangers, ({ roles, id: who, issuer, verb, place, task }) => {
        const isNamed = who === task.opener || who === task.subject || place?.includes(who) === true
        fc.pre(!isNamed)
        const party = { name: `${issuer}:${who}`, id: who, roles, registeredAt: undefined }
        const subjectFrom = task.issuer === undefined ? undefined : { issuer: task.issuer }
        const owned = { ...task, subjectFrom, openedAt: OPENED }
        expect(mayEnd(party, verb, owned, place?.join('/'))).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  test('D07 no role of one’s own resumes a task', () => {
    for (const role of ['subject', 'agent', 'receiver', 'resource', 'reviewer'] as const) {
      for (const who of ['alice', 'planner', 'researcher']) {
        expect(mayEnd(author(role, who), 'resume', TASK, 'planner')).toBe(false)
      }
    }
  })
})
