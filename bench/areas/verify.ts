/**
 * What a resource server pays for a call: a token never seen, a token seen before, its statuses, and the proof that comes
 * with every call, beside JWT libraries. In several processes one after the other: how the engine happens to compile the same code
 * differs from one to the next by more than the rounds within one.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Area, Bench, Target } from '../area.ts'
import { commandOn } from '../cores.ts'
import { ratios, type Samples } from '../interleave.ts'
import { median, rounded } from '../statistics.ts'
import {
  BARE,
  CHAIN,
  CHECKED,
  COLD,
  FAST_JWT,
  type Group,
  JOSE,
  REPEATED,
  type VerifyScale,
  WITH_PROOF,
} from '../verify-competitors.ts'

const DEPTHS = [3, 4] as const
const JUDGED_DEPTH = 4
/** The longest chain has the most statuses to look up. */
const STATUS_DEPTH = 8
const TARGETS = {
  coldToJose: 0.9,
  repeatedToCold: 20,
  chainMicroseconds: 20,
  statusMicroseconds: 20,
} as const

interface Scale extends VerifyScale {
  readonly processes: number
}

// Long warm-ups: the engine compiles what is judged here only after some thousand calls.
const FULL: Scale = { processes: 5, rounds: 10, warmUp: 12, tokens: 400 }
const QUICK: Scale = { processes: 1, rounds: 2, warmUp: 1, tokens: 16 }

export const verify: Area = {
  name: 'verify',
  summary: 'verifications per core-second, cold and repeated, beside jose and fast-jwt',
  byDefault: true,
  run: async (bench) => {
    const scale = bench.quick ? QUICK : FULL
    const targets: Target[] = []
    for (const depth of DEPTHS) {
      const bare: Samples[] = []
      const seen: Samples[] = []
      for (let run = 0; run < scale.processes; run++) {
        bare.push(await measure(bench, 'bare', depth, scale))
        seen.push(await measure(bench, 'seen', depth, scale))
      }
      const found = report(bench, { bare, seen }, depth)
      if (depth === JUDGED_DEPTH) targets.push(...found)
    }
    const statuses: Samples[] = []
    for (let run = 0; run < scale.processes; run++)
      statuses.push(await measure(bench, 'status', STATUS_DEPTH, scale))
    return [...targets, reportStatuses(bench, statuses)]
  },
}

/** What looking up the root and every hop in a list at hand adds to a verification. */
function reportStatuses({ emit }: Bench, runs: readonly Samples[]): Target {
  const added = runs.flatMap((samples) => {
    const without = samples.get(REPEATED) ?? []
    return (samples.get(CHECKED) ?? []).map((cost, round) => cost - (without[round] ?? 0))
  })
  const value = rounded(median(added), 3)
  emit({ name: `verify.status_check.depth${STATUS_DEPTH}`, value, unit: 'us', depth: STATUS_DEPTH })
  return {
    target: `statuses looked up in a list at hand, depth ${STATUS_DEPTH}, in microseconds`,
    value,
    bound: { most: TARGETS.statusMicroseconds },
  }
}

async function measure(
  { cores }: Bench,
  group: Group,
  depth: number,
  scale: Scale,
): Promise<Samples> {
  const path = join(import.meta.dirname, '../verify-process.ts')
  const args = ['--conditions=actchain:source', path, group, String(depth), JSON.stringify(scale)]
  const [program, ...rest] = commandOn(cores, ...args)
  const env = { PATH: process.env['PATH'] }
  const { stdout } = await promisify(execFile)(program, rest, { env, maxBuffer: 1 << 24 })
  return new Map(JSON.parse(stdout) as [string, number[]][])
}

function report(
  { emit }: Bench,
  groups: Readonly<Record<Exclude<Group, 'status'>, readonly Samples[]>>,
  depth: number,
): readonly Target[] {
  const groupOf = (name: string): readonly Samples[] =>
    BARE.includes(name) ? groups.bare : groups.seen
  const ratioOf = (name: string, other: string): number =>
    rounded(median(groupOf(name).map((samples) => median(ratios(samples, name, other)))), 3)
  const costOf = (name: string): number =>
    median(groupOf(name).map((samples) => median(samples.get(name) ?? [])))
  const emitAgainst = (name: string, other: string | undefined): void => {
    const against = other !== undefined && {
      ratio_to: `${other}.depth${depth}`,
      ratio: ratioOf(name, other),
    }
    const cpu = costOf(name)
    emit({
      name: `${name}.depth${depth}`,
      value: rounded(1e6 / cpu),
      unit: 'verifications/core-second',
      ...against,
      depth,
      cpu_us: rounded(cpu),
    })
  }
  emitAgainst(JOSE, undefined)
  emitAgainst(FAST_JWT, JOSE)
  emitAgainst(COLD, JOSE)
  emitAgainst(REPEATED, COLD)
  emitAgainst(WITH_PROOF, COLD)
  const chain = rounded(costOf(CHAIN), 3)
  emit({ name: `${CHAIN}.depth${depth}`, value: chain, unit: 'us', depth })
  return [
    {
      target: `cold verification / jose.jwtVerify, depth ${depth}`,
      value: ratioOf(COLD, JOSE),
      bound: { least: TARGETS.coldToJose },
    },
    {
      target: `repeated / cold verification, depth ${depth}`,
      value: ratioOf(REPEATED, COLD),
      bound: { least: TARGETS.repeatedToCold },
    },
    {
      target: `chain rules alone, depth ${depth}, in microseconds`,
      value: chain,
      bound: { most: TARGETS.chainMicroseconds },
    },
  ]
}
