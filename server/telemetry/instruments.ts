/** The metrics of the table, made: each is registered once, with the name, help and labels it has there. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { METRICS, type MetricRow } from './metric-table.ts'

interface ByType {
  readonly counter: Counter
  readonly gauge: Gauge
  readonly histogram: Histogram
}

export type Instruments = {
  readonly [Name in keyof typeof METRICS]: ByType[(typeof METRICS)[Name]['type']]
}

export function createInstruments(registry: Registry): Instruments {
  const made = Object.entries(METRICS).map(([name, row]) => [name, create(row, registry)])
  return Object.fromEntries(made) as Instruments
}

function create(row: MetricRow, registry: Registry): Counter | Gauge | Histogram {
  const { name, help, labels: labelNames, type, buckets = [] } = row
  const options = { name, help, labelNames, registers: [registry] }
  if (type === 'histogram') return new Histogram({ ...options, buckets: [...buckets] })
  return type === 'counter' ? new Counter(options) : new Gauge(options)
}
