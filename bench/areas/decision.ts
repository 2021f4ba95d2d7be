/**
 * What a tenant's rules cost a decision, by the number of policies: ten that name nobody, the rest naming a principal or a
 * resource each. Every decision is of a second of its own, and a rule reads the time, so none is remembered.
 */
import type { Rules } from '../../server/core/rules.ts'
import type { CompiledPolicy } from '../../server/policy/compiled-policy.ts'
import { createRules } from '../../server/policy/rules.ts'
import type { Area, Bench, Target } from '../area.ts'
import { type Competitor, interleave, ratios, type Samples } from '../interleave.ts'
import { aPolicySet, FACTS, questionsAt } from '../rule-facts.ts'
import { median, rounded } from '../statistics.ts'

interface Scale {
  readonly rounds: number
  readonly warmUp: number
  /** Decisions in a turn. */
  readonly batch: number
  /** Agents at an API each, who ask by turns: so many slices are in use. */
  readonly places: number
}

const FULL: Scale = { rounds: 15, warmUp: 5, batch: 192, places: 24 }
const QUICK: Scale = { rounds: 1, warmUp: 1, batch: 4, places: 2 }

const SIZES = [10, 100, 1000] as const
/** Scopes asked about: three that were requested, or all five the caller may have where it requested none. */
const FORMS = { explicit: 3, omitted: 5 } as const
const MOST_RATIO = 1.5

export const decision: Area = {
  name: 'decision',
  summary: "a tenant's rules: CPU time of a decision by the number of policies",
  byDefault: true,
  run: async (bench) => report(bench, await measure(bench.quick ? QUICK : FULL)),
}

async function measure(scale: Scale): Promise<Samples> {
  const competitors = SIZES.flatMap((size) => {
    const policies = aPolicySet(size)
    return [...competitorsAt(size, policies, scale), alone(size, policies, scale)]
  })
  return interleave(competitors, scale)
}

function competitorsAt(
  size: number,
  policies: readonly CompiledPolicy[],
  scale: Scale,
): readonly Competitor[] {
  const rules = createRules(FACTS, policies)
  // Without heads to go by, every policy is in every slice.
  const whole = createRules(
    FACTS,
    policies.map((policy) => ({ ...policy, principal: undefined, resource: undefined })),
  )
  const unsliced = { ...scale, batch: Math.ceil(scale.batch / 8) }
  return [
    ...Object.entries(FORMS).map(([form, count]) => {
      const name = `decision.${form}.policies${size}`
      return asking({ name, rules, count, scale })
    }),
    asking({ name: `decision.unsliced.policies${size}`, rules: whole, count: 3, scale: unsliced }),
    asking({ name: `decision.remembered.policies${size}`, rules, count: 3, scale, second: 0 }),
  ]
}

interface Asking {
  readonly name: string
  readonly rules: Rules
  readonly count: number
  readonly scale: Scale
  /** Undefined: another one each time. */
  readonly second?: number
}

let seconds = 0

function asking({ name, rules, count, scale, second }: Asking): Competitor {
  const run = (times: number): void => {
    for (let time = 0; time < times; time++) {
      const at = second ?? ++seconds
      for (const question of questionsAt(time % scale.places, { count, second: at })) {
        const { decision: answered, failed } = rules.answer(question)
        if (answered !== 'permit' || failed.length > 0) throw new Error(`${name} refuses`)
      }
    }
  }
  return { name, times: scale.batch, run }
}

/** The first question of a place in a version: its slice is parsed for it. */
function alone(size: number, policies: readonly CompiledPolicy[], { places }: Scale): Competitor {
  const run = (times: number): void => {
    const rules = createRules(FACTS, policies)
    for (let time = 0; time < times; time++) {
      for (const question of questionsAt(time, { count: 1, second: ++seconds })) {
        rules.answer(question)
      }
    }
  }
  return { name: `decision.first.policies${size}`, times: places, run }
}

function report({ emit }: Bench, samples: Samples): readonly Target[] {
  for (const [name, values] of samples) {
    const size = Number(/\d+$/.exec(name)?.[0])
    const least = name.replace(/\d+$/, `${SIZES[0]}`)
    emit({
      name,
      value: rounded(median(values)),
      unit: 'us/decision',
      policies: size,
      ...(name === least
        ? {}
        : { ratio_to: least, ratio: rounded(median(ratios(samples, name, least)), 3) }),
    })
  }
  return Object.keys(FORMS).map((form) => {
    const [few, many] = [SIZES[0], SIZES[2]].map((size) => `decision.${form}.policies${size}`)
    const value = 1 / median(ratios(samples, many ?? '', few ?? ''))
    const target = `decision, scope ${form}: 1,000 policies / 10`
    return { target, value: rounded(value, 3), bound: { most: MOST_RATIO } }
  })
}
