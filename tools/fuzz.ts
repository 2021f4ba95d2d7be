/**
 * `npm run fuzz`: inputs that nobody would write, at the verifier and at a server of ours, for as long as told. Exit codes: 0 nothing was
 * found, 1 something was (its input is in the corpus, its seed in the output), 2 misused.
 */
import { availableParallelism } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import { CORPUS } from '../conformance/fuzz/corpus.ts'
import { newSeed } from '../conformance/fuzz/random.ts'
import type { AreaResult, Settings } from '../conformance/fuzz/run.ts'
import { runChains } from '../conformance/fuzz/server/run-chains.ts'
import { runRequests } from '../conformance/fuzz/server/run-requests.ts'
import { runTokens } from '../conformance/fuzz/tokens/run-tokens.ts'
import { startFuzzTarget } from './fuzz-target.ts'

const AREAS = ['tokens', 'requests', 'chains'] as const
type Area = (typeof AREAS)[number]

interface Options {
  readonly seconds?: number
  readonly runs?: number
  readonly seed?: number
  readonly corpus: string
  readonly keep: boolean
  readonly workers: number
  readonly json?: true
}

const DEFAULT_SECONDS = 60

const program = new Command('npm run fuzz --')
  .description(
    'Fuzzes the verifier and a server started for it. Without a time or a number: a minute for each area.',
  )
  .argument('[areas...]', `${AREAS.join(', ')}; all when none is named`)
  .option('--seconds <number>', 'ends each area after so many seconds', wholeNumber)
  .option('--runs <number>', 'ends each area after so many inputs', wholeNumber)
  .option('--seed <number>', 'of the inputs: the same ones again', wholeNumber)
  .option('--corpus <folder>', 'inputs that are kept, replayed first', CORPUS)
  .option('--no-keep', 'adds no new inputs to the corpus, faults excepted')
  .addOption(
    new Option('--workers <number>', 'threads of the tokens')
      .argParser(wholeNumber)
      .default(availableParallelism()),
  )
  .option('--json', 'prints the result as JSON, one line an area')
  .exitOverride()

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('A whole number is needed.')
  return value
}

async function main(): Promise<number> {
  const stopping = new AbortController()
  const stop = (): void => {
    process.stderr.write('ending; once more to leave at once\n')
    stopping.abort()
    process.once('SIGINT', () => process.exit(130))
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  program.parse()
  const options = program.opts<Options>()
  const areas = program.args.length === 0 ? AREAS : program.args
  const unknown = areas.find((name) => !AREAS.some((area) => area === name))
  if (unknown !== undefined) program.error(`error: there is no area '${unknown}'`)
  const seed = options.seed ?? newSeed()
  const isUnbounded = options.seconds === undefined && options.runs === undefined
  const settings: Settings = {
    seed,
    runs: options.runs,
    seconds: isUnbounded ? DEFAULT_SECONDS : options.seconds,
    corpus: options.corpus,
    keep: options.keep,
    signal: stopping.signal,
    progress: (line) => void process.stderr.write(`${line}\n`),
  }
  let faults = 0
  for (const area of areas as readonly Area[]) {
    if (stopping.signal.aborted) break
    process.stderr.write(`${area}: seed ${seed}\n`)
    const result = await run(area, settings, options.workers)
    faults += result.faults.length
    process.stdout.write(options.json === true ? `${JSON.stringify(result)}\n` : textOf(result))
  }
  return faults === 0 ? 0 : 1
}

async function run(area: Area, settings: Settings, workers: number): Promise<AreaResult> {
  if (area === 'tokens') return runTokens({ ...settings, workers: Math.max(1, workers) })
  const server = await startFuzzTarget()
  try {
    const { target, watch } = server
    const fuzz = area === 'requests' ? runRequests : runChains
    return await fuzz({ ...settings, target, watch })
  } finally {
    await server.stop()
  }
}

function textOf(result: AreaResult): string {
  const { area, seed, runs, seconds, figures, outcomes, faults, corpus } = result
  const lines = [
    `${area}: ${runs} inputs in ${seconds} s, seed ${seed}`,
    ...Object.entries(figures).map(([name, value]) => `  ${name} ${value}`),
    `  outcomes: ${Object.entries(outcomes)
      .map(([name, times]) => `${name} ${times}`)
      .join(', ')}`,
    `  corpus: ${corpus.replayed} replayed, ${corpus.added.length} added, ${corpus.bytes} bytes`,
    ...faults.map(({ kind, detail, number, by, file }) =>
      [
        `  FAULT ${kind} (input ${number}, ${by}): ${detail}`,
        ...(file === undefined ? [] : [`    kept as ${file}`]),
      ].join('\n'),
    ),
    faults.length === 0
      ? '  no fault'
      : `  again: npm run fuzz -- ${area} --seed ${seed} --runs ${runs}`,
  ]
  return `${lines.join('\n')}\n`
}

try {
  process.exitCode = await main()
} catch (error) {
  // Commander has said it already.
  const isUsage = error instanceof Error && 'exitCode' in error && 'code' in error
  if (!isUsage) throw error
  process.exitCode = error.exitCode === 0 ? 0 : 2
}
