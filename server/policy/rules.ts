/** A tenant's rules as an engine: which policies a question needs, what they may read of it, and the answer. */
import { LRUCache } from 'lru-cache'
import type { Obligations, RuleAnswer, RuleQuestion, Rules } from '../core/rules.ts'
import { strictest } from '../core/rules.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import { type Engine, type EngineAnswer, processEngine } from './engine.ts'
import type { RuleFacts } from './given-entities.ts'
import { writeQuestion } from './question.ts'
import { type Slice, Slices } from './slices.ts'

export type { RuleFacts } from './given-entities.ts'

/** Answers remembered for one tenant's version. */
const MOST_ANSWERS = 2048
/** Characters of the questions they belong to. */
const MOST_TEXT = 2 * 1024 * 1024
const ACTIONS = ['open', 'delegate', 'call'] as const
const NOTHING_PERMITS: RuleAnswer = Object.freeze({
  decision: 'refuse',
  policies: [],
  obligations: {},
  failed: [],
})

/** The rules of one version. Policies and facts are taken as checked (compile-policies.ts). */
export function createRules(
  facts: RuleFacts,
  policies: readonly CompiledPolicy[],
  engine: Engine = processEngine,
): Rules {
  const slices = new Slices(policies, ACTIONS)
  // The key is all the engine would be given, to the letter; the version is this object (attack case L04).
  const answers = new LRUCache<string, RuleAnswer>({
    max: MOST_ANSWERS,
    maxSize: MOST_TEXT,
    sizeCalculation: (_, key) => key.length,
  })
  const answer = (question: RuleQuestion): RuleAnswer => {
    const slice = findSlice(slices, question)
    if (slice === undefined || slice.ids.length === 0) return NOTHING_PERMITS
    const asked = writeQuestion(facts, question, slice.needed)
    if (asked === undefined) return NOTHING_PERMITS
    const key = `${slice.name} ${JSON.stringify(asked)}`
    const remembered = answers.get(key)
    if (remembered !== undefined) return remembered
    const fresh = readAnswer(slice, engine.ask(slice, asked))
    answers.set(key, fresh)
    return fresh
  }
  const permits = policies.filter(({ effect }) => effect === 'permit')
  return { answer, permits }
}

function findSlice(slices: Slices, question: RuleQuestion): Slice | undefined {
  const { action, caller, taskType, target } = question
  const principal = { type: 'Agent', id: caller.id }
  if (action === 'open')
    return slices.find(action, principal, { type: 'TaskType', id: taskType.id })
  if (target === undefined) return undefined
  return slices.find(action, principal, { type: 'Resource', id: target.id })
}

function readAnswer(slice: Slice, { decision, policies, failed }: EngineAnswer): RuleAnswer {
  const decided = policies.toSorted()
  if (failed.length > 0 || decision !== 'allow') {
    // Permits decide nothing where another policy failed: it might have been a forbid.
    const forbids = decision === 'allow' ? [] : decided
    return { decision: 'refuse', policies: forbids, obligations: {}, failed: failed.toSorted() }
  }
  const obligations = decided.reduce<Obligations>(
    (sum, id) => strictest(sum, slice.obligations.get(id) ?? {}),
    {},
  )
  return { decision: 'permit', policies: decided, obligations, failed: [] }
}
