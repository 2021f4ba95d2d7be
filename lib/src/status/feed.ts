/**
 * The issuer's feed: one stream, kept open, that says which lists changed and which keys are good. Each message goes on where
 * the last one ended or is refused. While there is none, lists grow old and are fetched for the tokens that need them.
 */
import { type VerifierFault, wordsOf } from '../fault.ts'
import type { RevocationDeps } from '../revocation.ts'
import { EventStream } from './event-stream.ts'
import { type FeedMessage, readFeedMessage } from './feed-message.ts'
import { type Clock, momentOf, type Stamp, stampOf } from './freshness.ts'
import { StatementRefused } from './statement.ts'
import { startTimer } from './timer.ts'

/** Seconds without a message after which a stream is given up. The issuer sends one every two. */
const SILENCE_SECONDS = 6
const FIRST_PAUSE_SECONDS = 0.25
const LONGEST_PAUSE_SECONDS = 2

export type MessageListener = (message: FeedMessage, stamp: Stamp) => void

export class Feed {
  readonly #deps: RevocationDeps
  readonly #clock: Clock
  readonly #onMessage: MessageListener
  /** Of the last message that was taken. */
  #gen = ''
  #seq = 0
  #iat = 0
  /** After a message that was refused everything is asked for anew. */
  #resumable = true
  #taken = 0
  #told = ''
  #started = false
  #closed = false
  #end: () => void = () => undefined

  constructor(deps: RevocationDeps, clock: Clock, onMessage: MessageListener) {
    this.#deps = deps
    this.#clock = clock
    this.#onMessage = onMessage
  }

  /** Once; by the first token, so that a verifier nobody uses listens to nothing. */
  start(): void {
    if (this.#started) return
    this.#started = true
    void this.#run()
  }

  close(): void {
    this.#started = true
    this.#closed = true
    this.#end()
  }

  async #run(): Promise<void> {
    let pause = FIRST_PAUSE_SECONDS
    while (!this.#closed) {
      const before = this.#taken
      await this.#listen()
      pause =
        this.#taken > before ? FIRST_PAUSE_SECONDS : Math.min(pause * 2, LONGEST_PAUSE_SECONDS)
      // Listeners that lost the same stream must not all come back at the same moment.
      await this.#pause(pause * (0.5 + Math.random() / 2))
    }
  }

  /** Until the stream ends, one way or another. */
  async #listen(): Promise<void> {
    if (this.#closed) return
    const abort = new AbortController()
    let calm = startTimer(() => abort.abort(), SILENCE_SECONDS)
    this.#end = () => abort.abort()
    try {
      for await (const data of this.#messages(abort.signal)) {
        await this.#take(data)
        calm()
        calm = startTimer(() => abort.abort(), SILENCE_SECONDS)
        this.#told = ''
      }
      throw new Error('it ended')
    } catch (error) {
      if (error instanceof StatementRefused) {
        this.#resumable = false
        this.#tell('feed_refused', wordsOf(error))
      } else this.#tell('feed_lost', abort.signal.aborted ? 'it was silent' : wordsOf(error))
    } finally {
      calm()
      abort.abort()
    }
  }

  async *#messages(signal: AbortSignal): AsyncGenerator<string> {
    const { issuer, fetch } = this.#deps
    const response = await fetch(`${issuer}/events`, {
      headers: {
        accept: 'text/event-stream',
        'cache-control': 'no-cache',
        ...(this.#resumable && this.#seq > 0 ? { 'last-event-id': String(this.#seq) } : {}),
      },
      redirect: 'manual',
      signal,
    })
    const type = response.headers.get('content-type') ?? ''
    if (response.status !== 200 || response.body === null)
      throw new Error(`status ${response.status}`)
    if (!/^text\/event-stream *(;|$)/i.test(type)) throw new Error('it is no event stream')
    const reader = response.body.getReader()
    signal.addEventListener('abort', () => void reader.cancel().catch(() => undefined))
    const [events, decoder] = [new EventStream(), new TextDecoder()]
    for (;;) {
      const { done, value } = await reader.read()
      if (done || signal.aborted) return
      for (const { event, data } of events.push(decoder.decode(value, { stream: true })))
        if (event === 'status') yield data
    }
  }

  /** H06: in order, without a gap, not from before; otherwise nothing of it counts. Throws StatementRefused. */
  async #take(data: string): Promise<void> {
    const came = momentOf(this.#clock)
    const message = await readFeedMessage(this.#deps, this.#clock, data)
    const { gen, seq, since, iat } = message
    if (this.#closed) return
    // Of a store that took the place of a lost one nothing is known yet.
    const reached = gen === this.#gen ? this.#seq : 0
    if (since > reached) throw new StatementRefused('it leaves a gap')
    if (seq < reached || iat < this.#iat)
      throw new StatementRefused('it goes back behind the last one')
    this.#gen = gen
    this.#seq = seq
    this.#iat = iat
    this.#taken++
    this.#resumable = true
    this.#onMessage(message, stampOf(iat, came))
  }

  /** The same words once, until a message is taken again. */
  #tell(kind: VerifierFault['kind'], words: string): void {
    if (this.#closed || this.#told === words) return
    this.#told = words
    this.#deps.onFault({ kind, detail: `${words}: ${this.#deps.issuer}/events` })
  }

  #pause(seconds: number): Promise<void> {
    if (this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = startTimer(resolve, seconds)
      this.#end = () => {
        cancel()
        resolve()
      }
    })
  }
}
