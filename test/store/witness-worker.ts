/** A second process of a witness: opens the folder it is given, and answers each request its parent sends, in order. */
import { openEmbeddedStore } from '../support/embedded-store.ts'
import { stageWitness } from '../support/witnessed-log.ts'
import { NOW } from './records.ts'

export interface WitnessOrder {
  readonly vkey: string
  readonly requests: readonly string[]
}

const [, , dataFolder = ''] = process.argv
const { witnessed } = await openEmbeddedStore({ dataFolder, clock: { now: () => NOW } })

process.on('message', ({ vkey, requests }: WitnessOrder) => {
  void (async () => {
    const { witness } = await stageWitness(witnessed, { dataFolder, vkey })
    for (const request of requests) {
      process.send?.(await witness.answer(request))
      // Messages leave between two turns of the event loop.
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
