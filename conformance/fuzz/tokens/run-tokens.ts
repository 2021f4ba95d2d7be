/**
 * A run over tokens: the corpus first, then new ones on as many threads as told. It watches the threads for what they cannot tell
 * themselves: that one hangs, dies or grows.
 */
import { Worker } from 'node:worker_threads'
import { bytesOf, type Kept, keepInput, readCorpus } from '../corpus.ts'
import {
  type AreaResult,
  type FoundFault,
  growthOf,
  ranked,
  rounded,
  type Settings,
} from '../run.ts'
import { Generator } from './generate.ts'
import { HangWatch } from './hang-watch.ts'
import type { TokenInput } from './input.ts'
import { judge } from './judge.ts'
import { nameOf } from './novelty.ts'
import { add, emptyTally, quantile, SIZES, type Size, type Tally, timedOf } from './tally.ts'
import { closeVerifiers, newVerifiers } from './verifiers.ts'
import type { WorkerData, WorkerMessage } from './worker.ts'

const AREA = 'tokens'
/** Seconds on one input after which a thread hangs. */
const HANGS_AFTER = 30
const MOST_NUMBER = 0x7fff_ffff

export interface TokenSettings extends Settings {
  readonly workers: number
}

interface Thread {
  readonly shared: Int32Array
  readonly heap: number[]
  readonly ended: Promise<void>
  readonly terminate: () => Promise<number>
}

/** Resolves to what it did, however it ended. */
export async function runTokens(settings: TokenSettings): Promise<AreaResult> {
  const begun = performance.now()
  const corpus = readCorpus<TokenInput>(settings.corpus, AREA)
  const run = new TokenRun(settings, corpus)
  await run.replay()
  if (!settings.signal.aborted) await run.fuzz()
  return run.result((performance.now() - begun) / 1000)
}

class TokenRun {
  readonly #settings: TokenSettings
  readonly #corpus: readonly Kept<TokenInput>[]
  readonly #tally: Tally = emptyTally()
  readonly #faults: FoundFault[] = []
  readonly #known = new Set<string>()
  readonly #added: string[] = []
  #heap = { from: 0, to: 0 }

  constructor(settings: TokenSettings, corpus: readonly Kept<TokenInput>[]) {
    this.#settings = settings
    this.#corpus = corpus
  }

  /** Each kept input comes to what it came to before. */
  async replay(): Promise<void> {
    const verifiers = newVerifiers()
    for (const { file, input, outcome } of this.#corpus) {
      const judgement = await judge(verifiers, input)
      this.#known.add(nameOf(input, judgement))
      const { fault } = judgement
      const isOther = judgement.outcome !== outcome && !outcome.startsWith('fault')
      const told = fault ?? (isOther ? changed(outcome, judgement.outcome) : undefined)
      if (told !== undefined) this.#faults.push({ ...told, number: -1, by: input.by, file })
    }
    closeVerifiers(verifiers)
  }

  async fuzz(): Promise<void> {
    const { workers, seconds, signal, progress } = this.#settings
    const threads = Array.from({ length: workers }, (_, at) => this.#start(at))
    const stop = (): void => {
      for (const { shared } of threads) Atomics.store(shared, 1, 1)
    }
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    const begun = performance.now()
    const hangs = new HangWatch(HANGS_AFTER * 1000, workers, begun)
    for (const [at, { ended }] of threads.entries()) void ended.then(() => hangs.end(at))
    let toldAt = begun
    const watch = setInterval(() => {
      const now = performance.now()
      if (seconds !== undefined && now - begun > seconds * 1000) stop()
      for (const [at, { shared, terminate }] of threads.entries()) {
        const number = Atomics.load(shared, 0)
        if (!hangs.look(at, number, now)) continue
        this.#fault('hang', `${HANGS_AFTER} seconds on one input`, number)
        void terminate()
      }
      // Whoever found a fault wants to know it now, not in an hour.
      if (this.#faults.length + this.#tally.faults.length > MOST_FAULTS) stop()
      if (now - toldAt < 3_000) return
      toldAt = now
      progress(this.#line((now - begun) / 1000))
    }, 250)
    try {
      await Promise.all(threads.map(({ ended }) => ended))
    } finally {
      clearInterval(watch)
      signal.removeEventListener('abort', stop)
    }
    this.#judgeHeap(threads)
  }

  #start(at: number): Thread {
    const { seed, runs, workers } = this.#settings
    const shared = new Int32Array(new SharedArrayBuffer(8))
    const data: WorkerData = {
      plan: {
        seed,
        kept: this.#corpus.map(({ input }) => input),
        first: at,
        step: workers,
        end: runs ?? MOST_NUMBER,
      },
      known: [...this.#known],
      shared,
    }
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: data })
    const heap: number[] = []
    worker.on('message', (message: WorkerMessage) => this.#take(message, heap, shared))
    worker.on('error', (error: unknown) => {
      this.#fault('crash', error instanceof Error ? String(error.stack) : String(error), shared[0])
    })
    const ended = new Promise<void>((resolve) => {
      worker.once('exit', () => resolve())
    })
    return { shared, heap, ended, terminate: () => worker.terminate() }
  }

  #take(message: WorkerMessage, heap: number[], shared: Int32Array): void {
    if (message.kind === 'progress') {
      add(this.#tally, message.tally)
      if (message.heap !== undefined) heap.push(message.heap)
    } else if (message.kind === 'rejected') {
      this.#fault('unhandled_rejection', message.detail, shared[0])
    } else if (!this.#known.has(message.name)) {
      this.#known.add(message.name)
      const { corpus, keep } = this.#settings
      if (!keep) return
      const [outcome = ''] = message.name.split(',')
      const file = keepInput(corpus, AREA, {
        name: message.name,
        outcome: outcome.startsWith('accepted') ? 'accepted' : outcome,
        input: message.input,
      })
      if (file !== undefined) this.#added.push(file)
    }
  }

  #judgeHeap(threads: readonly Thread[]): void {
    for (const { heap } of threads) {
      const { from, to, grows } = growthOf(heap)
      this.#heap = { from: Math.max(from, this.#heap.from), to: Math.max(to, this.#heap.to) }
      if (!grows) continue
      const detail = `from ${from} to ${to} bytes after collection`
      this.#faults.push({ kind: 'memory_grows', detail, number: -1, by: '', file: undefined })
    }
  }

  /** A fault that the thread could not tell of: its input is made again from its number. */
  #fault(kind: string, detail: string, number = 0): void {
    const { seed } = this.#settings
    const kept = this.#corpus.map(({ input }) => input)
    const input = new Generator(seed, kept).input(number)
    this.#keepFault({ kind, detail, number, input })
  }

  #keepFault(found: {
    readonly kind: string
    readonly detail: string
    readonly number: number
    readonly input: TokenInput
  }): void {
    const { kind, detail, number, input } = found
    const outcome = `fault: ${kind}`
    const file = keepInput(this.#settings.corpus, AREA, { name: outcome, outcome, input })
    this.#faults.push({ kind, detail, number, by: input.by, file })
  }

  #line(seconds: number): string {
    const { runs, signed, reached, accepted, faults } = this.#tally
    const rate = Math.round(runs / seconds)
    return `tokens: ${runs} in ${Math.round(seconds)} s (${rate}/s), ${signed} signed, ${reached} of them to the chain's rules, ${accepted} accepted, ${faults.length + this.#faults.length} faults`
  }

  result(seconds: number): AreaResult {
    const { seed, corpus } = this.#settings
    for (const { fault, number, input } of this.#tally.faults.slice(0, MOST_FAULTS))
      this.#keepFault({ ...fault, number, input })
    const { runs, signed, reached, accepted, outcomes, settings } = this.#tally
    return {
      area: AREA,
      seed,
      runs,
      seconds: rounded(seconds),
      figures: {
        per_second: Math.round(runs / Math.max(seconds, 0.001)),
        signed_share: rounded(signed / Math.max(runs, 1)),
        reached_chain_rules_share: rounded(reached / Math.max(runs, 1)),
        accepted_share: rounded(accepted / Math.max(runs, 1)),
        ...this.#timeFigures(),
        heap_mb_from: rounded(this.#heap.from / 1e6),
        heap_mb_to: rounded(this.#heap.to / 1e6),
        ...Object.fromEntries(
          Object.entries(settings).map(([name, times]) => [`at_${name}`, times]),
        ),
      },
      outcomes: ranked(outcomes),
      faults: this.#faults,
      corpus: { replayed: this.#corpus.length, added: this.#added, bytes: bytesOf(corpus) },
    }
  }

  #timeFigures(): Record<string, number> {
    const tally = this.#tally
    const sizes = Object.keys(SIZES) as Size[]
    return Object.fromEntries(
      sizes.flatMap((size) => {
        const [half, most] = [0.5, 0.99].map((part) => quantile(tally, size, part))
        if (half === undefined || most === undefined) return []
        return [
          [`${size}_timed`, timedOf(tally, size)],
          [`${size}_ms_p50`, rounded(half)],
          [`${size}_ms_p99`, rounded(most)],
          [`${size}_ms_max`, rounded(tally.slowest[size])],
        ]
      }),
    )
  }
}

/** More than so many faults are one fault. */
const MOST_FAULTS = 10

function changed(before: string, now: string): { readonly kind: string; readonly detail: string } {
  return { kind: 'outcome_changed', detail: `was ${before}, is ${now}` }
}
