/** What the engine is asked and what its answer counts for: with an engine that says what a test wants it to. */
import { describe, expect, test } from 'vitest'
import type { RuleQuestion } from '../../server/core/rules.ts'
import type { EngineAnswer } from '../../server/policy/engine.ts'
import type { EngineQuestion } from '../../server/policy/question.ts'
import { createRules } from '../../server/policy/rules.ts'
import type { Slice } from '../../server/policy/slices.ts'
import { aQuestion, FACTS, policiesOf } from './fixture.ts'

const ALLOW: EngineAnswer = { decision: 'allow', policies: ['all'], failed: [] }

/** Rules over an engine that keeps what it was asked. */
function asking(text: string, answer: EngineAnswer = ALLOW) {
  const asked: { readonly slice: Slice; readonly question: EngineQuestion }[] = []
  const rules = createRules(FACTS, policiesOf(text), {
    ask: (slice, question) => {
      asked.push({ slice, question })
      return answer
    },
  })
  return { rules, asked }
}

const ALL = '@id("all") permit (principal, action, resource);'
const MANY = `
  @id("all") permit (principal, action, resource);
  @id("opens") permit (principal, action == Action::"open", resource);
  @id("digest") permit (principal, action == Action::"open", resource == TaskType::"digest");
  @id("plans") permit (principal == Agent::"planner", action, resource);
  @id("mail") permit (principal, action == Action::"call", resource == Resource::"mail");
  @id("both") permit (principal == Agent::"planner", action == Action::"call", resource == Resource::"mail");
  @id("pays") forbid (principal, action == Action::"call", resource == Resource::"payments");`

describe('an answer', () => {
  test.each<[string, EngineAnswer, object]>([
    [
      'permits by every policy that holds, in the order of their ids',
      { decision: 'allow', policies: ['opens', 'all'], failed: [] },
      { decision: 'permit', policies: ['all', 'opens'], obligations: {}, failed: [] },
    ],
    [
      'refuses by every policy that forbids',
      { decision: 'deny', policies: ['pays', 'mail'], failed: [] },
      { decision: 'refuse', policies: ['mail', 'pays'], obligations: {}, failed: [] },
    ],
    [
      'L02 refuses where a policy failed, whatever the others permit',
      { decision: 'allow', policies: ['all'], failed: ['pays', 'mail'] },
      { decision: 'refuse', policies: [], obligations: {}, failed: ['mail', 'pays'] },
    ],
    [
      'tells the forbids beside the failures',
      { decision: 'deny', policies: ['pays'], failed: ['mail'] },
      { decision: 'refuse', policies: ['pays'], obligations: {}, failed: ['mail'] },
    ],
  ])('%s', (_, answer, expected) => {
    expect(asking(MANY, answer).rules.answer(aQuestion())).toEqual(expected)
  })

  test('is remembered for the very same question, and for no other', () => {
    const { rules, asked } = asking(
      '@id("all") permit (principal, action == Action::"call", resource) when { context.key == "dpop" };',
    )
    const first = rules.answer(aQuestion())
    expect(rules.answer(aQuestion())).toBe(first)
    expect(asked).toHaveLength(1)
    rules.answer(aQuestion({ key: 'mtls' }))
    expect(asked).toHaveLength(2)
  })
})

test('what can permit is told apart from what forbids', () => {
  const { permits } = asking(MANY).rules
  expect(permits.map(({ id }) => id)).toEqual(['all', 'opens', 'digest', 'plans', 'mail', 'both'])
})

describe('the engine is given the policies', () => {
  test.each<[string, Partial<RuleQuestion>, readonly string[]]>([
    ['of a call', aQuestion(), ['all', 'plans', 'mail', 'both']],
    ['of another target', aQuestion({ target: 'payments' }), ['all', 'plans', 'pays']],
    ['of a delegation', aQuestion({ target: 'finder' }), ['all', 'plans']],
    ['of another caller', aQuestion({ chain: ['worker'] }), ['all', 'mail']],
    [
      'of a task that is opened',
      aQuestion({ action: 'open' }),
      ['all', 'opens', 'digest', 'plans'],
    ],
    [
      'of another task',
      aQuestion({ action: 'open', taskType: 'nightly' }),
      ['all', 'opens', 'plans'],
    ],
  ])('%s, and no others', (_, question, ids) => {
    const { rules, asked } = asking(MANY)
    rules.answer({ ...aQuestion(), ...question })
    expect(asked.map(({ slice }) => slice.ids.toSorted())).toEqual([ids.toSorted()])
    expect(asked[0]?.slice.text.match(/@id/g)).toHaveLength(ids.length)
  })

  test('and is not asked where there are none', () => {
    const { rules, asked } = asking(
      '@id("opens") permit (principal, action == Action::"open", resource);',
    )
    expect(rules.answer(aQuestion())).toMatchObject({ decision: 'refuse', policies: [] })
    expect(asked).toEqual([])
  })
})

describe('the engine is given the facts', () => {
  const entityOf = (text: string, question: RuleQuestion, type: string) => {
    const { rules, asked } = asking(text)
    rules.answer(question)
    const { entities = [] } = asked[0]?.question ?? {}
    return entities.filter(({ uid }) => 'type' in uid && uid.type === type)
  }
  const when = (condition: string, action = 'call') =>
    `@id("all") permit (principal, action == Action::"${action}", resource) when { ${condition} };`

  test('that policies read, and no others', () => {
    expect(asking(ALL).rules.answer(aQuestion()).decision).toBe('permit')
    expect(entityOf(ALL, aQuestion(), 'Agent')).toEqual([])
    const text = when('principal.class == "worker"')
    expect(entityOf(text, aQuestion(), 'Agent')).toEqual([
      { uid: { type: 'Agent', id: 'planner' }, attrs: { class: 'orchestrator' }, parents: [] },
    ])
    expect(entityOf(text, aQuestion(), 'Resource')).toEqual([])
  })

  test('of the agents and resources that the question brings, before those of the version', () => {
    const question = aQuestion()
    const caller = { ...question.caller, owner: 'newly', purpose: undefined }
    const target = { ...question.target!, owner: 'also-newly' }
    const text = when('resource has owner && principal.owner == resource.owner')
    const asked = { ...question, caller, target }
    expect(entityOf(text, asked, 'Agent')).toMatchObject([{ attrs: { owner: 'newly' } }])
    expect(entityOf(text, asked, 'Resource')).toMatchObject([{ attrs: { owner: 'also-newly' } }])
    const toFinder = aQuestion({ target: 'finder' })
    const recipient = { ...toFinder.recipient!, owner: 'its-own' }
    expect(
      entityOf(
        when('context.recipient.owner == "x"', 'delegate'),
        { ...toFinder, recipient },
        'Agent',
      ),
    ).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          uid: { type: 'Agent', id: 'finder' },
          attrs: { owner: 'its-own' },
        }),
      ]),
    )
  })

  test('of the task type that is asked about', () => {
    const question = aQuestion({ action: 'open' })
    const taskType = { ...question.taskType, basis: 'client' } as const
    const text = when('resource.basis == "policy"', 'open')
    expect(entityOf(text, { ...question, taskType }, 'TaskType')).toMatchObject([
      { uid: { type: 'TaskType', id: 'digest' }, attrs: { basis: 'client' } },
    ])
  })

  test('once each, however often they are named', () => {
    const text = when('context.chain.contains(principal) && principal.class == "worker"')
    expect(entityOf(text, aQuestion({ chain: ['planner'] }), 'Agent')).toHaveLength(1)
  })

  test('what an opener says of its purpose is no part of a later question', () => {
    const { rules, asked } = asking(when('context.request.scope.contains("x")'))
    rules.answer(aQuestion({ request: { scope: ['a'], purpose: 'a summary' } }))
    expect(asked[0]?.question.context['request']).toEqual({ scope: ['a'] })
  })
})
