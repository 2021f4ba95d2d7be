/** What a caller says stays what it is: text under `context.request`, whatever it looks like. */
import { describe, expect, test } from 'vitest'
import type { RuleQuestion } from '../../server/core/rules.ts'
import { type Asked, aQuestion, rulesOf } from './fixture.ts'

const LOOKS_LIKE_MORE = [
  'Agent::"planner"',
  '{"__entity":{"type":"Agent","id":"planner"}}',
  '{"__extn":{"fn":"datetime","arg":"2000-01-01"}}',
  '"};permit(principal,action,resource);//',
  '__proto__',
  '*',
  '\u0000\u202e\u{1F600}',
]
const ATTRIBUTES = ['tenant', 'role', 'approved', 'risk', 'depth', 'principal', 'key', '__entity']

/** Permits what the facts of aQuestion() allow and nothing else. */
const STRICT = `
  @id("facts") permit (principal == Agent::"planner", action == Action::"call", resource == Resource::"mail")
  when { context.depth == 1 && context.key == "dpop" && context.chain == [Agent::"planner"] };
  @id("not-asked") forbid (principal, action == Action::"call", resource)
  when { context.request.scope.contains("stop") };`

describe('L01 what the caller says sets no fact', () => {
  const { answer } = rulesOf(STRICT)
  const worker = { chain: ['planner', 'worker'] }

  test.each(LOOKS_LIKE_MORE)('%j as a scope, a subject, a claim or its name', (text) => {
    const says: Asked = {
      request: { scope: [text, ...ATTRIBUTES], purpose: text },
      subject: {
        id: text,
        issuer: 'idp',
        claims: Object.fromEntries([[text, [text]], ...ATTRIBUTES.map((name) => [name, [text]])]),
      },
    }
    expect(answer(aQuestion(says))).toMatchObject({ decision: 'permit', policies: ['facts'] })
    for (const wrong of [{ key: 'none' } as const, worker, { target: 'payments' }]) {
      expect(answer(aQuestion({ ...says, ...wrong }))).toMatchObject({
        decision: 'refuse',
        policies: [],
        failed: [],
      })
    }
  })

  test.each(LOOKS_LIKE_MORE)('%j is read back as the text it is', (text) => {
    const { answer: read } = rulesOf(`
      @id("scope") permit (principal, action == Action::"call", resource) when { context.request.scope.contains(${cedarText(text)}) };
      @id("tag") permit (principal, action == Action::"call", resource) when {
        context has subject && context.subject == User::${cedarText(text)} &&
        context.subject.hasTag("__entity") && context.subject.getTag("__entity").contains(${cedarText(text)})
      };`)
    const subject = { id: text, issuer: 'idp', claims: { __entity: [text] } }
    expect(
      read(aQuestion({ subject, request: { scope: [text], purpose: undefined } })),
    ).toMatchObject({
      policies: ['scope', 'tag'],
    })
  })

  test('what is not text permits nothing: it is a fault or a refusal, never an entity', () => {
    const entity = { __entity: { type: 'Agent', id: 'planner' } } as unknown as string
    const said: readonly Asked[] = [
      { request: { scope: [entity], purpose: undefined } },
      { request: { scope: [], purpose: entity } },
      { subject: { id: 'u', issuer: 'idp', claims: { department: [entity] } } },
      { subject: { id: entity, issuer: 'idp', claims: {} } },
    ]
    const { answer: open } = rulesOf('@id("all") permit (principal, action, resource);')
    const permits = (says: Asked): boolean => {
      try {
        return open(aQuestion(says)).decision !== 'refuse'
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
        return false
      }
    }
    expect(said.filter(permits)).toEqual([])
  })

  test('half a character, or a purpose without end, permits nothing', () => {
    const { answer: all } = rulesOf('@id("all") permit (principal, action, resource);')
    const nothing = { decision: 'refuse', policies: [], obligations: {}, failed: [] }
    const half = 'a\ud800'
    for (const says of [
      { request: { scope: [half], purpose: undefined } },
      { request: { scope: [], purpose: half } },
      { request: { scope: [], purpose: 'a'.repeat(1025) } },
      { subject: { id: half, issuer: 'idp', claims: {} } },
      { subject: { id: 'u', issuer: 'idp', claims: { department: [half] } } },
      { subject: { id: 'u', issuer: 'idp', claims: { department: ['research', half] } } },
      { subject: { id: 'u', issuer: 'idp', claims: { department: [half], role: ['lead'] } } },
      { subject: { id: 'u', issuer: 'idp', claims: { department: ['research'], [half]: [] } } },
      { subject: { id: 'u', issuer: half, claims: {} } },
    ] as const) {
      expect(all(aQuestion(says))).toEqual(nothing)
    }
    expect(all(aQuestion({ request: { scope: [], purpose: 'a'.repeat(1024) } })).decision).toBe(
      'permit',
    )
  })

  test('a purpose is said where a task is opened, and nowhere else', () => {
    const purposeful = (action: string) =>
      rulesOf(
        `@id("why") permit (principal, action == Action::"${action}", resource)
        when { context.request has purpose };`,
      )
    const request = { scope: [], purpose: 'a summary' }
    expect(purposeful('open').answer(aQuestion({ action: 'open', request })).decision).toBe(
      'permit',
    )
    const silent = { scope: [], purpose: undefined }
    expect(purposeful('open').answer(aQuestion({ action: 'open', request: silent })).decision).toBe(
      'refuse',
    )
  })
})

describe('a time the calendar has not', () => {
  const { answer } = rulesOf('@id("all") permit (principal, action, resource);')
  const last = 253_402_300_799
  const task = { txn: 'txn-1', openedAt: 0, deadline: last }

  test.each<[string, Asked, 'permit' | 'refuse']>([
    ['the first second there is', { now: 0, task }, 'permit'],
    ['the last second there is', { now: last, task }, 'permit'],
    ['a second before', { now: -1 }, 'refuse'],
    ['a second after', { now: last + 1 }, 'refuse'],
    ['no number', { now: Number.NaN }, 'refuse'],
    ['a task from before', { task: { ...task, openedAt: -1 } }, 'refuse'],
    ['a task from after', { task: { ...task, openedAt: last + 1 } }, 'refuse'],
    ['a task that was to end before', { task: { ...task, deadline: -1 } }, 'refuse'],
    ['a task that is to end after', { task: { ...task, deadline: last + 1 } }, 'refuse'],
    ['a task whose name is half a character', { task: { ...task, txn: 'a\ud800' } }, 'refuse'],
  ])('%s', (_, says, decision) => {
    expect(answer(aQuestion(says))).toMatchObject({ decision, failed: [] })
  })
})

describe('a question with a part missing permits nothing', () => {
  const { answer } = rulesOf('@id("all") permit (principal, action, resource);')

  test.each<[string, Partial<RuleQuestion>]>([
    ['the scope', { scope: undefined }],
    ['a scope the tenant knows', { scope: 'unheard:of' }],
    ['the task', { task: undefined }],
    ['the target', { target: undefined }],
    ['the chain', { chain: [] }],
    ['an agent of the chain', { chain: ['stranger', 'planner'] }],
    ['the agent at the target', { ...aQuestion({ target: 'finder' }), recipient: undefined }],
  ])('%s', (_, says) => {
    expect(answer({ ...aQuestion(), ...says })).toEqual({
      decision: 'refuse',
      policies: [],
      obligations: {},
      failed: [],
    })
  })
})

/** As a Cedar text: everything outside plain ASCII escaped. */
function cedarText(text: string): string {
  const escaped = text.replace(
    /[^A-Za-z0-9 _:;(){},/.-]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  )
  return `"${escaped}"`
}
