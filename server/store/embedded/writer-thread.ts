/** The thread that writes: takes a batch of orders, commits them together, syncs, answers. See writer.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { Environment } from './environment.ts'
import { growsStore, type Order, obey } from './verbs.ts'
import type { Outcome, WriterReply, WriterStart } from './writer.ts'

/** Commits between two looks at the size bound. */
const COMMITS_PER_SIZE_CHECK = 64
const EIO = 5

const { dataFolder, maxBytes } = workerData as WriterStart
const environment = new Environment(dataFolder, maxBytes)
let full = environment.isFull()
let commits = 0
/** After a failed sync the system may have dropped pages that a later sync would not write again: final. */
let lost: string | undefined

function commit(orders: readonly Order[]): WriterReply {
  if (lost !== undefined) return { kind: 'fault', message: lost }
  commits += 1
  if (full || commits % COMMITS_PER_SIZE_CHECK === 0) full = environment.isFull()
  try {
    const outcomes = environment.transact(() =>
      orders.map((order): Outcome => {
        if (full && growsStore(order)) return 'full'
        return { result: obey(environment, order) }
      }),
    )
    return { kind: 'committed', outcomes, full }
  } catch (fault) {
    const message = fault instanceof Error ? fault.message : 'unknown'
    if (fault instanceof Error && 'code' in fault && fault.code === EIO) lost = message
    return { kind: 'fault', message }
  }
}

parentPort?.on('message', (message: readonly Order[] | 'close') => {
  if (message === 'close') {
    void environment.close().then(() => parentPort?.close())
    return
  }
  parentPort?.postMessage(commit(message))
})
