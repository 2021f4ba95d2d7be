/**
 * What the record costs and how fast it is read: exchanges with the durable log against those with a log that keeps nothing,
 * and a large log verified and searched.
 */
import type { Area, Bench, Target } from '../area.ts'
import { measureLargeLog } from '../large-log.ts'
import { exchangeBatch, type MeasuredActchain, startActchain } from '../measured-server.ts'
import { median, quantile, rounded } from '../statistics.ts'

interface Scale {
  readonly rounds: number
  readonly batch: number
  readonly warmUp: number
  /** Of the large log, and how often it is searched. */
  readonly entries: number
  readonly searches: number
}

const FULL: Scale = {
  rounds: 15,
  batch: 1000,
  warmUp: 3000,
  entries: 1_000_000,
  searches: 1000,
}
/** Asked for by name: it takes ten gigabytes and a quarter of an hour. */
const LONG: Scale = { ...FULL, entries: 10_000_000 }
const QUICK: Scale = { rounds: 1, batch: 20, warmUp: 20, entries: 2000, searches: 20 }

const DEPTH = 4
const LEAST_RATIO = 0.85

export const audit: Area = {
  name: 'audit',
  summary: 'exchanges with the durable log against none; a million entries verified, searched',
  byDefault: true,
  run: async (bench) => {
    const scale = bench.quick ? QUICK : bench.long ? LONG : FULL
    return [await measureExchanges(bench, scale), ...(await measureLargeLog(bench, scale))]
  },
}

interface Series {
  readonly name: string
  readonly on: MeasuredActchain
  readonly samples: { readonly cpu: number; readonly latencies: readonly number[] }[]
}

async function measureExchanges({ cores, emit }: Bench, scale: Scale): Promise<Target> {
  const recorded = await startActchain(cores)
  const unrecorded = await startActchain(cores, 'actchain-unrecorded.ts')
  const series: readonly Series[] = [
    { name: 'audit.exchange.recorded', on: recorded, samples: [] },
    { name: 'audit.exchange.unrecorded', on: unrecorded, samples: [] },
  ]
  try {
    for (const { on } of series) {
      await on.driver.sendAll(await exchangeBatch(on, DEPTH, scale.warmUp))
    }
    for (let round = 0; round < scale.rounds; round++) {
      for (const one of series) one.samples.push(await sample(one, scale.batch))
    }
  } finally {
    await Promise.all([recorded.close(), unrecorded.close()])
  }
  const ratios = zipped(series).map(([ours, none]) => none / ours)
  const ratio = rounded(median(ratios), 3)
  for (const { name, samples } of series) {
    const cpu = median(samples.map((one) => one.cpu))
    const latencies = samples.flatMap((one) => one.latencies)
    emit({
      name,
      value: rounded(1e6 / cpu),
      unit: 'exchanges/core-second',
      ...(name === series[0]?.name ? { ratio_to: 'audit.exchange.unrecorded', ratio } : {}),
      cpu_us: rounded(cpu),
      p50_ms: rounded(quantile(latencies, 0.5), 3),
      p99_ms: rounded(quantile(latencies, 0.99), 3),
    })
  }
  const target = 'exchanges per core-second, durable log / none'
  return { target, value: ratio, bound: { least: LEAST_RATIO } }
}

/** CPU of one exchange with and without the record, round by round: they took turns. */
function zipped([recorded, unrecorded]: readonly Series[]): readonly (readonly [number, number])[] {
  return (recorded?.samples ?? []).map(({ cpu }, round) => [
    cpu,
    unrecorded?.samples[round]?.cpu ?? Number.NaN,
  ])
}

/** Microseconds of CPU for one exchange, all threads. */
async function sample({ on }: Series, count: number): Promise<Series['samples'][number]> {
  const requests = await exchangeBatch(on, DEPTH, count)
  const before = await on.server.ask({ ask: 'cpu' })
  const latencies = await on.driver.sendAll(requests)
  const after = await on.server.ask({ ask: 'cpu' })
  return { cpu: (after.all - before.all) / count, latencies }
}
