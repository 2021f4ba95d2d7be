/**
 * `npm run demo`: the whole of Actchain in one story, with real processes, keys, sockets and clocks. It ends with 0 only
 * if every hop and every refusal was exactly as told; nothing it started outlives it.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Cast } from './cast.ts'
import { DemoFault } from './processes.ts'
import { aborted, Stopped, stopSignal } from './stop.ts'
import { storyLegs, TRIES, type Try } from './story.ts'
import { jsonTeller, pictureTeller } from './teller.ts'
import { judgeAttempt, judgeRecord, judgeStory, type TryVerdict } from './verdict.ts'

const HELP = `Usage: npm run demo -- [options]

Plays one delegation from a user to an API over three agents, then seven ways to get more out of it.
Starts everything it needs on free loopback ports and leaves nothing behind.

Options:
  --json              print one line of JSON for each hop, the record and each refusal
  --tenants <folder>  folder of tenants to play with (default: the sample tenants)
  --help              show this help

Exit codes: 0 all as told, 1 something was not, 2 misused.
`

const LONGEST_MS = 40_000
const SAMPLE_TENANTS = fileURLToPath(new URL('../../tenants', import.meta.url))

async function main(): Promise<number> {
  const options = readOptions()
  if (typeof options === 'number') return options
  const cast = new Cast()
  const signal = AbortSignal.any([AbortSignal.timeout(LONGEST_MS), stopSignal()])
  try {
    const ok = await Promise.race([play(cast, options, signal), aborted(signal)])
    return ok ? 0 : 1
  } catch (error) {
    process.stderr.write(faultText(error, cast, signal))
    return signal.reason instanceof Stopped ? signal.reason.exitCode : 1
  } finally {
    await cast.leave()
  }
}

interface Options {
  readonly json: boolean
  readonly tenants: string
}

/** The options, or the exit code where there is nothing to play. */
function readOptions(): Options | number {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        tenants: { type: 'string', default: SAMPLE_TENANTS },
        help: { type: 'boolean', default: false },
      },
    })
    if (!values.help) return values
    process.stdout.write(HELP)
    return 0
  } catch (error) {
    const why = error instanceof Error ? error.message : 'wrong options'
    process.stderr.write(`${why}\nSee --help.\n`)
    return 2
  }
}

async function play(cast: Cast, options: Options, signal: AbortSignal): Promise<boolean> {
  const startedAt = performance.now()
  const tell = options.json ? jsonTeller() : pictureTeller()
  tell.gathering()
  await cast.gather(options.tenants)
  tell.opening(cast.issuer)
  const account = await cast.ask(storyLegs(cast), signal)
  const hops = judgeStory(account)
  for (const verdict of hops) tell.hop(verdict)
  const { outcome } = account
  const txn = outcome.kind === 'done' ? outcome.txn : undefined
  const record = judgeRecord(await cast.findRecord(txn))
  tell.record(record)
  tell.between()
  const tries: TryVerdict[] = []
  for (const tried of TRIES) {
    const verdict = await playTry(cast, tried, signal)
    tell.refusal(verdict)
    tries.push(verdict)
  }
  const ok = [...hops, record, ...tries].every((verdict) => verdict.ok)
  const seconds = (performance.now() - startedAt) / 1000
  tell.closing({ ok, hops: hops.length, refusals: tries.length, seconds })
  return ok
}

async function playTry(cast: Cast, tried: Try, signal: AbortSignal): Promise<TryVerdict> {
  const attempts = []
  for (const attempt of tried.attempts) {
    const [account] = await Promise.all([
      cast.ask(attempt.legs(cast), signal),
      attempt.meanwhile?.(cast),
    ])
    attempts.push(judgeAttempt(attempt, account))
  }
  return { tried, ok: attempts.every(({ ok }) => ok), attempts }
}

function faultText(error: unknown, cast: Cast, signal: AbortSignal): string {
  if (signal.reason instanceof Stopped) return `${signal.reason.message}\n`
  if (signal.aborted) return `The demo took longer than ${LONGEST_MS / 1000} s.\n${cast.complaints}`
  if (error instanceof DemoFault) return `${error.message}\n${cast.complaints}`
  const why = error instanceof Error ? (error.stack ?? error.message) : 'unknown'
  return `The demo failed: ${why}\n${cast.complaints}`
}

process.exitCode = await main()
