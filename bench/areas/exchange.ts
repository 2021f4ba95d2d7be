/**
 * What one exchange costs the server: CPU time of its whole process over real HTTP, against the floor on the same core in
 * the same minute, beside servers that do less for the same requests.
 */
import type { Area, Bench, Target } from '../area.ts'
import type { PreparedRequest } from '../load.ts'
import {
  exchangeBatch,
  type MeasuredActchain,
  type MeasuredServer,
  startActchain,
  startComparator,
} from '../measured-server.ts'
import { median, quantile, rounded } from '../statistics.ts'

interface Scale {
  readonly depths: readonly number[]
  readonly rounds: number
  readonly batch: number
  readonly warmUp: number
  readonly floors: number
}

const FULL: Scale = { depths: [1, 4, 8], rounds: 9, batch: 1000, warmUp: 3000, floors: 400 }
const QUICK: Scale = { depths: [1, 4, 8], rounds: 1, batch: 20, warmUp: 20, floors: 20 }

/** The chain a task may have by default: what most exchanges look like at their deepest. */
const JUDGED_DEPTH = 4
const LEAST_RATIO = 0.25

export const exchange: Area = {
  name: 'exchange',
  summary: 'exchanges per core-second over HTTP by depth, against the floor',
  byDefault: true,
  run: async (bench) => {
    const scale = bench.quick ? QUICK : FULL
    const ours = await startActchain(bench.cores)
    const others: MeasuredServer[] = []
    try {
      for (const script of ['plain-http.ts', 'base-library.ts'] as const) {
        others.push(await startComparator(script, ours.keys, bench.cores))
      }
      return report(bench, await measure(scale, ours, others))
    } finally {
      await Promise.all([ours, ...others].map((server) => server.close()))
    }
  },
}

/** One measured thing: a server, and the requests it gets. */
interface Series {
  readonly name: string
  readonly depth?: number
  readonly on: MeasuredServer
  readonly batch: (count: number) => Promise<readonly PreparedRequest[]>
  readonly samples: Sample[]
}

interface Sample {
  /** Microseconds of CPU for one exchange, all threads and the main thread. */
  readonly all: number
  readonly main: number
  readonly floor: number
  readonly perSecond: number
  readonly latencies: readonly number[]
}

async function measure(
  scale: Scale,
  ours: MeasuredActchain,
  others: readonly MeasuredServer[],
): Promise<readonly Series[]> {
  const series: readonly Series[] = [
    ...scale.depths.map((depth) => ({
      name: `exchange.depth${depth}`,
      depth,
      on: ours,
      batch: (count: number) => exchangeBatch(ours, depth, count),
      samples: [],
    })),
    ...others.map((on, at) => ({
      name: at === 0 ? 'exchange.plain_http' : 'exchange.oidc_provider_alone',
      on,
      batch: (count: number) => exchangeBatch(ours, JUDGED_DEPTH, count),
      samples: [],
    })),
  ]
  for (const { batch, on } of series) await on.driver.sendAll(await batch(scale.warmUp))
  // A B C, A B C: whatever else the machine does meanwhile, it does to all of them.
  for (let round = 0; round < scale.rounds; round++) {
    for (const one of series) one.samples.push(await sample(one, scale))
  }
  return series
}

async function sample({ on, batch }: Series, { batch: count, floors }: Scale): Promise<Sample> {
  const { server, driver } = on
  const requests = await batch(count)
  const floorBefore = await server.ask({ ask: 'floor', times: floors })
  const before = await server.ask({ ask: 'cpu' })
  const start = performance.now()
  const latencies = await driver.sendAll(requests)
  const seconds = (performance.now() - start) / 1000
  const after = await server.ask({ ask: 'cpu' })
  const floorAfter = await server.ask({ ask: 'floor', times: floors })
  return {
    all: (after.all - before.all) / count,
    main: (after.main - before.main) / count,
    floor: (floorBefore + floorAfter) / 2,
    perSecond: count / seconds,
    latencies,
  }
}

function report(bench: Bench, series: readonly Series[]): readonly Target[] {
  const floor = median(series.flatMap(({ samples }) => samples.map((one) => one.floor)))
  const floorName = 'exchange.floor'
  bench.emit({
    name: floorName,
    value: rounded(1e6 / floor),
    unit: 'floors/core-second',
    cpu_us: rounded(floor),
  })
  const targets: Target[] = []
  for (const { name, depth, samples } of series) {
    const all = median(samples.map((one) => one.all))
    const ratio = median(samples.map((one) => one.floor / one.all))
    const latencies = samples.flatMap((one) => one.latencies)
    bench.emit({
      name,
      value: rounded(1e6 / all),
      unit: 'exchanges/core-second',
      ratio_to: floorName,
      ratio: rounded(ratio, 3),
      ...(depth === undefined ? {} : { depth, way_in: depth === 1 ? 'root' : 'recipient' }),
      cpu_us: rounded(all),
      main_thread_us: rounded(median(samples.map((one) => one.main))),
      per_second: rounded(median(samples.map((one) => one.perSecond))),
      p50_ms: rounded(quantile(latencies, 0.5), 3),
      p99_ms: rounded(quantile(latencies, 0.99), 3),
    })
    if (depth === JUDGED_DEPTH) {
      const target = `floor / exchange, CPU time, depth ${depth}`
      targets.push({ target, value: rounded(ratio, 3), bound: { least: LEAST_RATIO } })
    }
  }
  return targets
}
