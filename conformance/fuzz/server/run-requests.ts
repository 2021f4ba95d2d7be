/** A run of requests against a live server: what it answers is judged, and between them whether it is well. */
import { bytesOf, keepInput, readCorpus } from '../corpus.ts'
import { Random } from '../random.ts'
import { type AreaResult, type FoundFault, ranked, rounded, type Settings } from '../run.ts'
import { brokenBytes } from './broken-bytes.ts'
import { type AnswerFault, answerFault, bytesFault, errorOf } from './judge-answer.ts'
import { type RequestInput, Requests } from './request-mutations.ts'
import type { Target, Watch } from './target.ts'
import { Vigil } from './vigil.ts'
import { type Answer, type NoAnswer, Wire } from './wire.ts'

export interface ServerSettings extends Settings {
  readonly target: Target
  readonly watch: Watch | undefined
}

const AREA = 'requests'
/** Requests at once. */
const LANES = 6
const MOST_FAULTS = 10
/** Bytes of headers and body of a request that is kept for being new. */
const LONGEST = 2_500

/** A request as it is kept: for a server of another day, whose issuer has another name. */
interface KeptRequest {
  readonly method: string
  /** After the issuer, or after the origin where it is not beneath it. */
  readonly path: string
  readonly headers: RequestInput['headers']
  /** base64url */
  readonly body: string | undefined
}

/** Resolves to what it did, however it ended. */
export async function runRequests(settings: ServerSettings): Promise<AreaResult> {
  const run = new RequestRun(settings)
  const begun = performance.now()
  await run.replay()
  await run.fuzz(begun)
  return run.result((performance.now() - begun) / 1000)
}

class RequestRun {
  readonly #settings: ServerSettings
  readonly #wire: Wire
  readonly #requests: Requests
  readonly #vigil: Vigil
  readonly #outcomes: Record<string, number> = {}
  readonly #faults: FoundFault[] = []
  readonly #known = new Set<string>()
  readonly #added: string[] = []
  #replayed = 0
  #runs = 0
  #granted = 0
  #slowest = 0

  constructor(settings: ServerSettings) {
    this.#settings = settings
    this.#wire = new Wire(settings.target.ca)
    this.#requests = new Requests(settings.target)
    this.#vigil = new Vigil(settings.watch)
  }

  async replay(): Promise<void> {
    const { corpus, target } = this.#settings
    for (const { file, input, outcome } of readCorpus<KeptRequest>(corpus, AREA)) {
      const { method, path, headers, body } = input
      const url = path.startsWith('{origin}')
        ? path.replace('{origin}', new URL(target.issuer).origin)
        : target.issuer + path
      const bytes = body === undefined ? undefined : Buffer.from(body, 'base64url')
      const again: RequestInput = {
        method,
        url,
        headers,
        body: bytes,
        by: 'kept',
        pace: 'at once',
        raw: false,
        secrets: [],
      }
      const answer = await this.#wire.send(again)
      this.#known.add(outcome)
      this.#replayed++
      const fault = answerFault(target.issuer, again, answer)
      if (fault !== undefined) this.#faults.push({ ...fault, number: -1, by: 'kept', file })
    }
  }

  async fuzz(begun: number): Promise<void> {
    const { seconds, runs = Number.POSITIVE_INFINITY, signal, progress } = this.#settings
    const end = seconds === undefined ? Number.POSITIVE_INFINITY : begun + seconds * 1000
    let next = 0
    let toldAt = begun
    const lane = async (): Promise<void> => {
      while (
        next < runs &&
        performance.now() < end &&
        !signal.aborted &&
        this.#faults.length < MOST_FAULTS
      ) {
        const number = next++
        await this.#one(number)
        const fault = await this.#vigil.look()
        if (fault !== undefined) this.#keep({ kind: 'server', detail: fault }, number)
        if (performance.now() - toldAt < 3_000) continue
        toldAt = performance.now()
        progress(
          `requests: ${this.#runs} in ${Math.round((toldAt - begun) / 1000)} s, ${this.#granted} granted, ${this.#faults.length} faults`,
        )
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
    const fault = await this.#vigil.end()
    if (fault !== undefined) this.#keep({ kind: 'server', detail: fault }, next - 1)
    this.#wire.close()
  }

  async #one(number: number): Promise<void> {
    const random = new Random(this.#settings.seed, number)
    const input = this.#requests.make(random)
    this.#runs++
    if (input.raw) {
      const text = await this.#wire.sendBytes(input.url, brokenBytes(input, random))
      const fault = bytesFault(text)
      this.#count(`bytes ${/^HTTP\/1\.1 (\d{3})/.exec(text ?? '')?.[1] ?? 'closed'}`)
      if (fault !== undefined) this.#keep(fault, number, input)
      return
    }
    const answer = await this.#wire.send(input, input.pace)
    const fault = answerFault(this.#settings.target.issuer, input, answer)
    const outcome = outcomeOf(answer)
    this.#count(outcome)
    if (answer.status !== 0) this.#take(answer as Answer)
    if (fault !== undefined) this.#keep(fault, number, input)
    else this.#keepNew(outcome, input)
  }

  #take({ status, text, milliseconds }: Answer): void {
    this.#slowest = Math.max(this.#slowest, milliseconds)
    if (status !== 200) return
    const token = /"access_token":"([^"]+)"/.exec(text)?.[1]
    if (token === undefined) return
    this.#granted++
    this.#requests.hold(token)
  }

  #count(outcome: string): void {
    this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1
  }

  /** Only what is sound without assertions and proofs of this minute is worth sending on another day. */
  #keepNew(outcome: string, input: RequestInput): void {
    const size = (input.body?.length ?? 0) + JSON.stringify(input.headers).length
    if (this.#known.has(outcome) || !this.#settings.keep || size > LONGEST) return
    this.#known.add(outcome)
    const file = this.#write(outcome, input)
    if (file !== undefined) this.#added.push(file)
  }

  #keep(fault: AnswerFault, number: number, input?: RequestInput): void {
    const file = input === undefined ? undefined : this.#write(`fault: ${fault.kind}`, input)
    this.#faults.push({ ...fault, number, by: input?.by ?? '', file })
  }

  #write(outcome: string, { method, url, headers, body }: RequestInput): string | undefined {
    const { target, corpus } = this.#settings
    const { origin } = new URL(target.issuer)
    const input: KeptRequest = {
      method,
      path: url.startsWith(target.issuer)
        ? url.slice(target.issuer.length)
        : url.replace(origin, '{origin}'),
      headers,
      body: body === undefined ? undefined : Buffer.from(body).toString('base64url'),
    }
    return keepInput(corpus, AREA, { name: outcome, outcome, input })
  }

  result(seconds: number): AreaResult {
    const { seed, corpus } = this.#settings
    return {
      area: AREA,
      seed,
      runs: this.#runs,
      seconds: rounded(seconds),
      figures: {
        per_second: rounded(this.#runs / Math.max(seconds, 0.001)),
        granted: this.#granted,
        slowest_ms: rounded(this.#slowest),
        ...this.#vigil.figures(),
      },
      outcomes: ranked(this.#outcomes),
      faults: this.#faults,
      corpus: { replayed: this.#replayed, added: this.#added, bytes: bytesOf(corpus) },
    }
  }
}

function outcomeOf(answer: Answer | NoAnswer): string {
  if (answer.status === 0) return 'because' in answer ? answer.because : 'closed'
  const { text } = answer as Answer
  const error = errorOf(text)
  const reason = /"reason":"([\w]+)"/.exec(text)?.[1]
  const said = reason ?? (typeof error === 'string' ? error : '')
  return `${answer.status} ${said}`.trim()
}
