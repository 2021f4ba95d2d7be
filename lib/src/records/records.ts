/**
 * @actchain/verifier/records: a resource server says what it did with a token, and that stands in the issuer's log beside how
 * the token came to be. Recording waits for nobody: what is recorded is sent in the background, for as long as it takes.
 */
import type { Verifier } from '../verifier.ts'
import { type RecordedAction, toWaitingRecord } from './action.ts'
import { Delivery } from './delivery.ts'
import { IssuerClient } from './issuer-client.ts'
import { type RecordsOptions, readRecordsOptions } from './options.ts'
import { WaitingRecords } from './waiting-records.ts'

export type { ActionOutcome, RecordedAction, WaitingRecord } from './action.ts'
export { digestInput, type InputDigest } from './input-digest.ts'
export type { RecordsFault, RecordsFaultListener, RecordsOptions } from './options.ts'
export type { SigningKey } from './signing-key.ts'
export { type RecordStorage, RecordsFull } from './waiting-records.ts'

/** Milliseconds the last flush may take. */
const LAST_FLUSH = 5_000

export interface RecordingVerifier extends Omit<Verifier, 'close'> {
  /**
   * Puts an action on the way to the log and returns the id it will have there. Throws RecordsFull where as many wait as may, and
   * TypeError where the action is malformed or recording was closed: then it is not on its way.
   */
  record(action: RecordedAction): string
  /** Resolves when all that was recorded before is on record, or refused; rejects where recording is closed before. */
  flush(): Promise<void>
  /** Not acknowledged yet. */
  readonly recordsWaiting: number
  /** Also sends what waits once more, for five seconds at most; what then waits is in storage, or lost and told. */
  close(): Promise<void>
}

/** The same verifier, which also records. Throws TypeError for a missing, unknown or bad option. */
export function withRecords(verifier: Verifier, options: RecordsOptions): RecordingVerifier {
  const settings = readRecordsOptions(options)
  const ended = new AbortController()
  const waiting = new WaitingRecords(settings)
  const { issuer } = verifier.facts
  const client = new IssuerClient({ ...settings, issuer, signal: ended.signal })
  const delivery = new Delivery({ ...settings, waiting, client })
  let closing: Promise<void> | undefined
  // What an earlier process left behind does not wait for this one to record something.
  if (settings.storage !== undefined) delivery.wake()

  const end = async (): Promise<void> => {
    verifier.close()
    const timer = setTimeout(() => ended.abort(), LAST_FLUSH)
    await delivery.finish()
    clearTimeout(timer)
    await waiting.saved()
    if (waiting.size === 0) return
    const where = waiting.isKept ? 'are left to storage' : 'are lost'
    settings.onFault({ kind: 'records_unsent', detail: `${waiting.size} records ${where}` })
  }
  return Object.freeze({
    ...verifier,
    record: (action: RecordedAction) => {
      if (closing !== undefined) throw new TypeError('recording was closed')
      const record = toWaitingRecord(action, settings.now())
      waiting.add(record)
      delivery.wake()
      return record.id
    },
    flush: () => delivery.flush(),
    get recordsWaiting() {
      return waiting.size
    },
    close: () => (closing ??= end()),
  } satisfies RecordingVerifier)
}
