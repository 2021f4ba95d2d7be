/**
 * Asks Cedar. Slices are parsed once and kept in the engine under a bounded number of names, shared by all tenants of
 * the process: a name that is needed again is told something else.
 */
import type { AuthorizationAnswer, CheckParseAnswer } from '@cedar-policy/cedar-wasm/nodejs'
import { LRUCache } from 'lru-cache'
import { type CedarInstance, EngineFault, processCedar } from './cedar.ts'
import type { EngineQuestion } from './question.ts'
import type { Slice } from './slices.ts'

export interface EngineAnswer {
  readonly decision: 'allow' | 'deny'
  /** Ids of the policies that decided: permits where allowed, forbids where denied. */
  readonly policies: readonly string[]
  /** Ids of the policies that could not be evaluated. */
  readonly failed: readonly string[]
}

export interface Engine {
  /** Throws an `EngineFault` where there is no answer. */
  ask(slice: Slice, question: EngineQuestion): EngineAnswer
}

const MOST_SLOTS = 1024
/** Characters of policies; the engine takes about ten bytes for each. */
const MOST_TEXT = 8 * 1024 * 1024

export class CedarEngine implements Engine {
  readonly #cedar: CedarInstance
  readonly #slots: LRUCache<Slice, string>
  /** Names that are told nothing anyone still needs. */
  readonly #free: string[] = []
  #named = 0
  #generation = 0

  constructor(cedar: CedarInstance, most: { readonly slots: number; readonly text: number }) {
    this.#cedar = cedar
    this.#slots = new LRUCache({
      max: most.slots,
      maxSize: most.text,
      sizeCalculation: (_, { text }) => 1 + text.length,
      dispose: (slot) => void this.#free.push(slot),
    })
  }

  ask(slice: Slice, question: EngineQuestion): EngineAnswer {
    const preparsedPolicySetId = this.#slotOf(slice)
    const answer: AuthorizationAnswer = this.#cedar.run(({ statefulIsAuthorized }) =>
      statefulIsAuthorized({ ...question, preparsedPolicySetId } as Parameters<
        typeof statefulIsAuthorized
      >[0]),
    )
    if (answer.type === 'failure') throw new EngineFault()
    const { decision, diagnostics } = answer.response
    return {
      decision,
      policies: diagnostics.reason.map((name) => idOf(slice, name)),
      failed: diagnostics.errors.map(({ policyId }) => idOf(slice, policyId)),
    }
  }

  #slotOf(slice: Slice): string {
    // A new instance was told nothing yet.
    if (this.#generation !== this.#cedar.generation) this.#slots.clear()
    this.#generation = this.#cedar.generation
    const known = this.#slots.get(slice)
    if (known !== undefined) return known
    const slot = this.#free.pop() ?? `slice-${this.#named++}`
    const answer: CheckParseAnswer = this.#cedar.run(({ preparsePolicySet }) =>
      preparsePolicySet(slot, { staticPolicies: slice.text }),
    )
    if (answer.type === 'failure') {
      this.#free.push(slot)
      throw new EngineFault()
    }
    this.#slots.set(slice, slot)
    // Too large to be kept: the name is free for the next, once this one was asked.
    if (!this.#slots.has(slice)) this.#free.push(slot)
    return slot
  }
}

// The engine names the policies of a text `policy0`, `policy1` …: parsing them so takes half the time of naming them.
function idOf({ ids }: Slice, name: string): string {
  const id = ids[Number(name.slice('policy'.length))]
  if (id === undefined) throw new EngineFault()
  return id
}

export const processEngine: Engine = new CedarEngine(processCedar, {
  slots: MOST_SLOTS,
  text: MOST_TEXT,
})
