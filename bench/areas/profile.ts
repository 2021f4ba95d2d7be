/**
 * Where an exchange's CPU time goes, by component and by function. Sampling costs time itself, so this is not part of an
 * ordinary run: shares are the result, and microseconds are scaled to a batch that was not sampled.
 */
import type { Area, Bench } from '../area.ts'
import { everyCore } from '../cores.ts'
import { exchangeBatch, type MeasuredActchain, startActchain } from '../measured-server.ts'
import { type FunctionTime, functionTimes } from '../profile-categories.ts'
import { rounded } from '../statistics.ts'
import { threadTimes } from '../thread-times.ts'

const DEPTH = 4
const FULL = { warmUp: 4000, batch: 3000, functions: 40 } as const
const QUICK = { warmUp: 20, batch: 50, functions: 5 } as const

export const profile: Area = {
  name: 'profile',
  summary: `where an exchange at depth ${DEPTH} spends its CPU time`,
  byDefault: false,
  run: async (bench) => {
    const scale = bench.quick ? QUICK : FULL
    const ours = await startActchain(everyCore(bench.cores))
    try {
      await send(ours, scale.warmUp)
      const cost = await costOf(ours, scale.batch)
      await ours.server.ask({ ask: 'profile' })
      await send(ours, scale.batch)
      const found = functionTimes(await ours.server.ask({ ask: 'profiled' }))
      report(bench, { found, cost, functions: scale.functions })
    } finally {
      await ours.close()
    }
    return []
  },
}

async function send(ours: MeasuredActchain, count: number): Promise<void> {
  await ours.driver.sendAll(await exchangeBatch(ours, DEPTH, count))
}

interface Cost {
  readonly all: number
  readonly main: number
  readonly threads: ReadonlyMap<string, number>
}

/** Microseconds of CPU for one exchange. */
async function costOf(ours: MeasuredActchain, count: number): Promise<Cost> {
  const requests = await exchangeBatch(ours, DEPTH, count)
  const { server, driver } = ours
  const threadsBefore = threadTimes(server.pid)
  const before = await server.ask({ ask: 'cpu' })
  await driver.sendAll(requests)
  const after = await server.ask({ ask: 'cpu' })
  const threads = [...threadTimes(server.pid)].map(
    ([kind, time]) => [kind, (time - (threadsBefore.get(kind) ?? 0)) / count] as const,
  )
  return {
    all: (after.all - before.all) / count,
    main: (after.main - before.main) / count,
    threads: new Map(threads),
  }
}

interface Findings {
  readonly found: readonly FunctionTime[]
  readonly cost: Cost
  readonly functions: number
}

function report({ emit }: Bench, { found, cost, functions }: Findings): void {
  const sampled = found.reduce((sum, { self }) => sum + self, 0)
  const scale = cost.main / sampled
  const emitTime = (name: string, microseconds: number, more: object = {}): void =>
    emit({
      name,
      value: rounded(microseconds, 3),
      unit: 'us/exchange',
      share: rounded(microseconds / cost.all, 3),
      ...more,
    })
  emitTime('profile.all', cost.all)
  const components = Map.groupBy(found, ({ component }) => component)
  const times = [...components].map(([component, ones]) => ({
    component,
    time: ones.reduce((sum, { self }) => sum + self, 0) * scale,
  }))
  for (const { component, time } of times.toSorted((a, b) => b.time - a.time)) {
    emitTime(`profile.main_thread: ${component}`, time)
  }
  emitTime('profile.other_threads', cost.all - cost.main)
  for (const [kind, time] of cost.threads) emitTime(`profile.thread: ${kind}`, time)
  for (const one of found.toSorted((a, b) => b.self - a.self).slice(0, functions)) {
    const { name, file, component } = one
    emitTime(`profile.self: ${name}`, one.self * scale, { file, component })
  }
  for (const one of found.toSorted((a, b) => b.total - a.total).slice(0, functions)) {
    emitTime(`profile.total: ${one.name}`, one.total * scale, { file: one.file })
  }
}
