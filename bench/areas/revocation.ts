/**
 * How far and how fast a revocation reaches: resource servers that verify offline, in processes of their own, and the
 * time from the acknowledgement of a revocation until the last of them refuses a token further down. Then the network
 * between them and the server falls silent.
 */

import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../../test/support/child-server.ts'
import type { Area, Bench, Target } from '../area.ts'
import { Stories, type Story } from '../chain-story.ts'
import { CutProxy } from '../cut-proxy.ts'
import { Driver } from '../load.ts'
import { monotonic } from '../monotonic.ts'
import { productionEnvironment } from '../production-environment.ts'
import { recordTokens } from '../recorded-tokens.ts'
import { makeScratchFolder, removeScratchFolder } from '../scratch-folder.ts'
import { ServerProcess } from '../server-process.ts'
import { median, quantile, rounded } from '../statistics.ts'
import { BENCH_ISSUER, writeBenchTenant } from '../tenant.ts'
import type { Span } from '../watch.ts'
import { Watchers } from '../watchers.ts'

const MOST = { p50: 200, p99: 1000, max: 2000, recovery: 5000 } as const

interface Scale {
  readonly processes: number
  readonly verifiers: number
  readonly tokens: number
  readonly revocations: number
  /** Milliseconds before each, at least and at most. */
  readonly spacing: readonly [number, number]
  /** Revocations one right after the other. */
  readonly burst: number
  /** The verifiers' bound, in seconds. */
  readonly freshness: number
  readonly cutSeconds: number
}

const FULL: Scale = {
  processes: 5,
  verifiers: 10,
  tokens: 100_000,
  revocations: 120,
  // Apart from one another, and from the seconds of the clock.
  spacing: [600, 1400],
  burst: 25,
  freshness: 10,
  cutSeconds: 30,
}
const QUICK: Scale = {
  processes: 2,
  verifiers: 2,
  tokens: 400,
  revocations: 4,
  spacing: [10, 20],
  burst: 3,
  freshness: 2,
  cutSeconds: 4,
}

export const revocation: Area = {
  name: 'revocation',
  summary: 'time until offline verifiers refuse what was revoked, and what a cut does to them',
  byDefault: true,
  run: async (bench) => {
    const scale = bench.quick ? QUICK : FULL
    const stage = await setStage(bench, scale)
    try {
      const reach = await measureReach(bench, stage)
      await measureBurst(bench, stage)
      const cut = await measureCut(bench, stage)
      return [...cut, ...reach]
    } finally {
      await stage.close()
    }
  },
}

interface Stage {
  readonly scale: Scale
  readonly stories: Stories
  readonly watchers: Watchers
  readonly network: CutProxy
  /** Of its verifiers, all together. */
  readonly verifiers: number
  close(): Promise<void>
}

async function setStage({ cores, emit }: Bench, scale: Scale): Promise<Stage> {
  const folder = makeScratchFolder()
  const closing: (() => void | Promise<void>)[] = [() => removeScratchFolder(folder)]
  const close = async (): Promise<void> => {
    for (const one of closing.splice(0).toReversed()) await one()
  }
  try {
    const keys = writeBenchTenant(join(folder, 'tenants'), 'bearer')
    const began = performance.now()
    const tokens = await recordTokens(join(folder, 'data'), scale.tokens)
    const seconds = rounded((performance.now() - began) / 1000)
    emit({ name: 'revocation.live_tokens', value: tokens, unit: 'tokens', seconds })
    const [port, management] = [await freePort(), await freePort()]
    const env = productionEnvironment(folder, { port, management })
    const server = await ServerProcess.start({ script: 'actchain.ts', env, cores })
    closing.push(() => server.close())
    const driver = new Driver(port)
    closing.push(() => driver.close())
    const network = await CutProxy.to(port)
    closing.push(() => network.close())
    const watchers = await Watchers.start(cores, scale.processes, {
      verifiers: scale.verifiers,
      issuer: BENCH_ISSUER,
      audience: 'https://ledger.example.com/api',
      origin: `http://127.0.0.1:${network.port}`,
      freshness: scale.freshness,
    })
    closing.push(() => watchers.close())
    const stories = new Stories(driver, keys)
    const verifiers = scale.processes * scale.verifiers
    return { scale, stories, watchers, network, verifiers, close }
  } catch (fault) {
    await close()
    throw fault
  }
}

/** From the acknowledgement to the refusal, of each revocation at each verifier. */
async function measureReach({ emit }: Bench, stage: Stage): Promise<readonly Target[]> {
  const { scale, stories, watchers } = stage
  const lasts: number[] = []
  const all: number[] = []
  const dead: Story[] = []
  const before = await watchers.ask({ ask: 'bytes' })
  for (let round = 0; round < scale.revocations; round++) {
    const story = await stories.open()
    const name = `reach-${round}`
    await watchers.watch(name, story.last)
    await watchers.until(name, 'accepted')
    const [least, most] = scale.spacing
    await pause(least + Math.random() * (most - least))
    const waits = await revokeAndWait(stage, story, name)
    all.push(...waits)
    lasts.push(Math.max(...waits))
    dead.push(story)
  }
  const after = await watchers.ask({ ask: 'bytes' })
  await assertDead(watchers, dead)
  const figures = {
    p50_ms: rounded(median(lasts)),
    p99_ms: rounded(quantile(lasts, 0.99)),
    max_ms: rounded(Math.max(...lasts)),
  }
  emit({
    name: 'revocation.reach_last_verifier',
    value: figures.p50_ms,
    unit: 'ms',
    ...figures,
    verifiers: stage.verifiers,
    revocations: lasts.length,
  })
  emit({
    name: 'revocation.reach_each_verifier',
    value: rounded(median(all)),
    unit: 'ms',
    p99_ms: rounded(quantile(all, 0.99)),
    max_ms: rounded(Math.max(...all)),
  })
  for (const kind of ['lists', 'listCount', 'feed', 'other'] as const) {
    const each = after.map((fetched, at) => fetched[kind] - (before[at]?.[kind] ?? 0))
    emit({
      name: `revocation.fetched_${kind === 'listCount' ? 'list_count' : kind}`,
      value: rounded(median(each)),
      unit: kind === 'listCount' ? 'lists/verifier' : 'bytes/verifier',
      most: Math.max(...each),
      each_revocation: rounded(median(each) / lasts.length),
    })
  }
  return reachTargets(figures)
}

/** Milliseconds that each verifier took. */
async function revokeAndWait(
  { stories, watchers }: Stage,
  story: Story,
  name: string,
): Promise<readonly number[]> {
  await stories.revokeFirst(story)
  const acknowledged = monotonic()
  const refused = await watchers.until(name, 'token_revoked')
  assertOneWay(await watchers.ask({ ask: 'drop', name }))
  // A verifier that knew before the answer had arrived did not wait at all.
  return refused.map((at) => Math.max(0, at - acknowledged))
}

/** One right after the other: a verifier fetches a list so many times a second and no more, so they wait for one another. */
async function measureBurst({ emit }: Bench, stage: Stage): Promise<void> {
  const { scale, stories, watchers } = stage
  const watched: (readonly [string, Story])[] = []
  for (let at = 0; at < scale.burst; at++) watched.push([`burst-${at}`, await stories.open()])
  for (const [name, { last }] of watched) await watchers.watch(name, last)
  for (const [name] of watched) await watchers.until(name, 'accepted')
  const waiting: Promise<readonly number[]>[] = []
  for (const [name, story] of watched) {
    const waits = revokeAndWait(stage, story, name)
    waiting.push(waits)
    await pause(20)
  }
  const lasts = (await Promise.all(waiting)).map((waits) => Math.max(...waits))
  emit({
    name: 'revocation.reach_in_a_burst',
    value: rounded(median(lasts)),
    unit: 'ms',
    max_ms: rounded(Math.max(...lasts)),
    revocations: lasts.length,
  })
}

function reachTargets(figures: {
  readonly p50_ms: number
  readonly p99_ms: number
  readonly max_ms: number
}): readonly Target[] {
  const target = 'acknowledgement to the last verifier’s refusal, in ms'
  return [
    { target: `${target}: median`, value: figures.p50_ms, bound: { most: MOST.p50 } },
    { target: `${target}: 99 of 100`, value: figures.p99_ms, bound: { most: MOST.p99 } },
    // Last, with all three, for whoever reads one line.
    { target: `${target}: all`, value: figures.max_ms, bound: { most: MOST.max }, more: figures },
  ]
}

/** Accepted, then refused, and never accepted again. */
function assertOneWay(spans: readonly (readonly Span[])[]): void {
  for (const of of spans) {
    const outcomes = of.map(({ outcome }) => outcome)
    const first = outcomes.findIndex((outcome) => outcome === 'token_revoked')
    if (outcomes.lastIndexOf('accepted') > first) {
      throw new Error(`a revoked token was accepted again: ${outcomes.join(' ')}`)
    }
  }
}

async function assertDead(watchers: Watchers, stories: readonly Story[]): Promise<void> {
  const judged = await watchers.ask({ ask: 'judge', tokens: stories.map(({ last }) => last) })
  const alive = judged.flat().filter((outcome) => outcome !== 'token_revoked')
  if (alive.length > 0) throw new Error(`of what was revoked: ${[...new Set(alive)].join(' ')}`)
}

/** One task is revoked while nothing gets through, another lives. */
async function measureCut({ emit }: Bench, stage: Stage): Promise<readonly Target[]> {
  const { scale, stories, watchers, network } = stage
  const [dying, living] = [await stories.open(), await stories.open()]
  await watchers.watch('dying', dying.last)
  await watchers.watch('living', living.last)
  await watchers.until('dying', 'accepted')
  await watchers.until('living', 'accepted')
  network.cut()
  const cutAt = monotonic()
  const bound = cutAt + scale.freshness * 1000
  await watchers.count(bound)
  await stories.revokeFirst(dying)
  await pause(scale.cutSeconds * 1000)
  const late = await watchers.ask({ ask: 'counted' })
  network.mend()
  const mendedAt = monotonic()
  const recovered = [
    ...(await watchers.until('living', 'accepted')),
    ...(await watchers.until('dying', 'token_revoked')),
  ]
  const dyingSpans = await watchers.ask({ ask: 'drop', name: 'dying' })
  await watchers.ask({ ask: 'drop', name: 'living' })
  const resurrected = acceptances(dyingSpans).filter(({ until }) => until > bound)
  const accepted = late.reduce((sum, count) => sum + count, 0) + resurrected.length
  const lastAccepted = acceptances(dyingSpans).map(({ until }) => until - cutAt)
  emit({
    name: 'revocation.cut_last_acceptance',
    value: rounded(Math.max(...lastAccepted)),
    unit: 'ms after the cut',
    bound_ms: scale.freshness * 1000,
    cut_ms: scale.cutSeconds * 1000,
  })
  const recovery = rounded(Math.max(0, ...recovered.map((at) => at - mendedAt)))
  emit({ name: 'revocation.cut_recovery', value: recovery, unit: 'ms' })
  return [
    { target: 'acceptances after the bound, in a cut', value: accepted, bound: { most: 0 } },
    { target: 'recovery from a cut, in ms', value: recovery, bound: { most: MOST.recovery } },
  ]
}

function acceptances(spans: readonly (readonly Span[])[]): readonly Span[] {
  return spans.flat().filter(({ outcome }) => outcome === 'accepted')
}
