/** One thread's part of a run over tokens: makes inputs by their numbers, presents them, judges, and counts. */

import { Generator } from './generate.ts'
import type { TokenInput } from './input.ts'
import { type Fault, type Judgement, judge } from './judge.ts'
import { count, emptyTally, type FaultFound, type Tally } from './tally.ts'
import { closeVerifiers, newVerifiers, type Verifiers } from './verifiers.ts'

/** Inputs for which verifiers are used: they learn tokens and proofs, and their lists grow old. */
const INPUTS_OF_VERIFIERS = 2_000
const SECONDS_OF_VERIFIERS = 4
/** Of the inputs that are refused. */
const READ_ONE_IN = 16
/** Inputs whose status list is waited for, at once. */
const MOST_WAITING = 64

export interface Plan {
  readonly seed: number
  readonly kept: readonly TokenInput[]
  /** Numbers of inputs: `first`, `first + step`, … below `end`. */
  readonly first: number
  readonly step: number
  readonly end: number
}

export interface Listener {
  /** What was counted since the last call; also says which input comes next. Answers whether to go on. */
  progress(tally: Tally): boolean
  /** Before an input is presented: where the thread hangs, this is the one. */
  begins(number: number): void
  /** An input that was judged. */
  judged(input: TokenInput, judgement: Judgement): void
}

/** Milliseconds between two calls of `progress`. */
const PROGRESS = 500

/** Resolves when the last input was judged, or the listener has had enough. */
export async function fuzzTokens(plan: Plan, listener: Listener): Promise<void> {
  const generator = new Generator(plan.seed, plan.kept)
  const waiting = new Set<Promise<void>>()
  const prototypes = membersOfPrototypes()
  let tally = emptyTally()
  let verifiers = newVerifiers()
  let since = { number: 0, at: performance.now() }
  let toldAt = performance.now()
  const present = async (used: Verifiers, number: number, input: TokenInput): Promise<void> => {
    const refused = Math.floor(number / plan.step) % READ_ONE_IN === 0 ? 'read' : 'unread'
    const judgement = await judge(used, input, { refused })
    count(tally, input, judgement)
    const polluted = membersOfPrototypes() !== prototypes
    const fault: Fault | undefined = polluted
      ? { kind: 'crash', detail: 'a prototype was changed' }
      : judgement.fault
    if (fault !== undefined) tally.faults.push(faultOf(plan, number, input, fault))
    listener.judged(input, judgement)
  }
  const tell = (): boolean => {
    const told = tally
    tally = emptyTally()
    toldAt = performance.now()
    return listener.progress(told)
  }
  for (let number = plan.first; number < plan.end; number += plan.step) {
    listener.begins(number)
    const input = generator.input(number)
    const presented = present(verifiers, number, input)
    if (input.setting !== 'lists') await presented
    else {
      const settled = presented.finally(() => waiting.delete(settled))
      waiting.add(settled)
      if (waiting.size >= MOST_WAITING) await Promise.race(waiting)
    }
    const now = performance.now()
    if (
      number - since.number > INPUTS_OF_VERIFIERS ||
      now - since.at > SECONDS_OF_VERIFIERS * 1000
    ) {
      // Those that wait still have theirs.
      void Promise.allSettled(waiting).then(closeVerifiers.bind(undefined, verifiers))
      verifiers = newVerifiers()
      since = { number, at: now }
    }
    if (now - toldAt > PROGRESS && !tell()) break
  }
  await Promise.all(waiting)
  closeVerifiers(verifiers)
  tell()
}

function faultOf({ seed }: Plan, number: number, input: TokenInput, fault: Fault): FaultFound {
  return { fault, seed, number, input }
}

/** Names on the prototypes that every object has: a token must never leave one there. */
function membersOfPrototypes(): string {
  return [Object.prototype, Array.prototype, String.prototype]
    .map((prototype) => Reflect.ownKeys(prototype).length)
    .join()
}
