/**
 * Checks files that came from outside in a thread of its own, with a limit of time and memory: whoever may edit one tenant
 * cannot stall or end the process that serves the others (attack case L05).
 */
import { Worker } from 'node:worker_threads'
import type { Problem } from '../core/problem.ts'
import type { CheckedTenant, TenantPlace } from './check-tenant.ts'
import type { Sources } from './sources.ts'

export interface CheckInput {
  readonly place: TenantPlace
  readonly sources: Sources
}

export interface CheckOutput {
  /** Sorted. Test cases that failed are among them. */
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  /** Absent exactly where there are problems. */
  readonly checked?: CheckedTenant
}

export interface CheckLimits {
  readonly milliseconds: number
  readonly megabytes: number
}

/** The largest tenant that is allowed takes a quarter of each. */
const LIMITS: CheckLimits = { milliseconds: 20_000, megabytes: 1024 }
/** Under way or waiting for a thread: each holds a whole folder in memory. */
const MOST_CHECKS = 8

/** The end of the last check that was asked for. */
let last: Promise<unknown> = Promise.resolve()
let checks = 0

/**
 * Never rejects for what is in the files: a check that does not end well is a problem of them. Throws where too many wait,
 * which is no fault of theirs: whoever asked asks again.
 */
export async function checkInWorker(
  place: TenantPlace,
  sources: Sources,
  limits: CheckLimits = LIMITS,
): Promise<CheckOutput> {
  if (checks === MOST_CHECKS) throw new Error('too many checks of versions wait')
  checks += 1
  // One at a time: the other cores are for requests.
  const turn = last
    .then(() => checkInThread({ place, sources }, limits))
    .finally(() => {
      checks -= 1
    })
  last = turn.catch(() => undefined)
  return (await turn) ?? refused(place, unfinished(limits))
}

/** Undefined where the thread ended, or was ended, without an answer. */
async function checkInThread(
  input: CheckInput,
  { milliseconds, megabytes }: CheckLimits,
): Promise<CheckOutput | undefined> {
  const worker = new Worker(new URL('check-worker.ts', import.meta.url), {
    workerData: input,
    execArgv: ['--conditions=actchain:source'],
    env: {},
    // Its own words about a fault may quote the files.
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: megabytes, stackSizeMb: 4 },
  })
  const answer = Promise.withResolvers<CheckOutput | undefined>()
  worker.once('message', (output: CheckOutput) => answer.resolve(output))
  worker.once('error', () => answer.resolve(undefined))
  worker.once('exit', () => answer.resolve(undefined))
  const timer = setTimeout(() => answer.resolve(undefined), milliseconds)
  try {
    return await answer.promise
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}

function unfinished({ milliseconds, megabytes }: CheckLimits): string {
  return `could not be checked within ${milliseconds / 1000} seconds and ${megabytes} MB`
}

function refused({ label }: TenantPlace, text: string): CheckOutput {
  return { problems: [{ file: label, line: 1, column: 1, text }], warnings: [] }
}
