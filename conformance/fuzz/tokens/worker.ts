/** A thread of a run over tokens. It says what it counted, which inputs were new to it, and how much memory it holds. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import { fuzzTokens, type Plan } from './fuzz-tokens.ts'
import type { TokenInput } from './input.ts'
import { isKeepable, nameOf } from './novelty.ts'
import type { Tally } from './tally.ts'

export interface WorkerData {
  readonly plan: Plan
  /** Outcomes that the corpus has. */
  readonly known: readonly string[]
  /** One number: of the input that is worked on. Another: 1 when the run is to end. */
  readonly shared: Int32Array
}

export type WorkerMessage =
  | { readonly kind: 'progress'; readonly tally: Tally; readonly heap: number | undefined }
  | { readonly kind: 'new'; readonly name: string; readonly input: TokenInput }
  | { readonly kind: 'rejected'; readonly detail: string }

/** Milliseconds between two looks at the heap: a full collection is no part of what is measured. */
const HEAP_EVERY = 5_000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const { plan, known, shared } = workerData as WorkerData
const seen = new Set(known)
let heapAt = performance.now()

const post = (message: WorkerMessage): void => parentPort?.postMessage(message)

process.on('unhandledRejection', (error) => {
  post({ kind: 'rejected', detail: error instanceof Error ? String(error.stack) : String(error) })
})

await fuzzTokens(plan, {
  begins: (number) => Atomics.store(shared, 0, number),
  judged: (input, judgement) => {
    const name = nameOf(input, judgement)
    if (seen.has(name) || !isKeepable(input, judgement)) return
    seen.add(name)
    post({ kind: 'new', name, input })
  },
  progress: (tally) => {
    const isDue = performance.now() - heapAt > HEAP_EVERY
    if (isDue) {
      collect()
      heapAt = performance.now()
    }
    post({ kind: 'progress', tally, heap: isDue ? process.memoryUsage().heapUsed : undefined })
    return Atomics.load(shared, 1) === 0
  },
})
