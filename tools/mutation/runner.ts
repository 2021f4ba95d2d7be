/**
 * Runs the tests of a group in this very process: a mutant costs the milliseconds of its tests, where a worker of vitest costs a
 * third of a second. A mutant is killed only where the test that failed holds again without it: what one mutant leaves behind in
 * a module never kills another.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import {
  type CoveragePerTestId,
  INSTRUMENTER_CONSTANTS,
  type InstrumenterContext,
  type MutantCoverage,
} from '@stryker-mutator/api/core'
import { declareFactoryPlugin, PluginKind } from '@stryker-mutator/api/plugin'
import {
  type DryRunResult,
  DryRunStatus,
  type MutantRunOptions,
  type MutantRunResult,
  MutantRunStatus,
  type TestResult,
  type TestRunner,
  TestStatus,
} from '@stryker-mutator/api/test-runner'
import { groupOf } from './groups.ts'
import { collect } from './vitest-stand-in.ts'

/** In the copy of the tree, which is where Stryker’s processes work. */
const TIMES = 'mutation-times.json'
const STAND_IN = new URL('vitest-stand-in.ts', import.meta.url).href

interface LoadedTest {
  readonly id: string
  readonly file: string
  readonly name: string
  readonly prepare: () => Promise<void>
  readonly run: () => Promise<void>
}

/** How instrumented code and its runner speak: which mutant is on, and what was covered. */
type Context = {
  -readonly [Name in keyof InstrumenterContext]: InstrumenterContext[Name] | undefined
}
const shared = globalThis as unknown as Record<string, Context | undefined>
const context = (shared[INSTRUMENTER_CONSTANTS.NAMESPACE] ??= {} as Context)

class SameProcessRunner implements TestRunner {
  #loads = 0
  #tests: readonly LoadedTest[] = []
  /** Milliseconds of each test, by its id: as the first run of all of them took. */
  #times: Record<string, number> = {}
  /** An error that no test was waiting for. */
  #stray: unknown
  /** What is loaded has seen a mutant that it may not be rid of. */
  #isSpent = true

  capabilities() {
    return { reloadEnvironment: true }
  }

  async init(): Promise<void> {
    const tree = pathToFileURL(`${process.cwd()}/`).href
    registerHooks({
      resolve: (specifier, from, next) => {
        const isOurs = from.parentURL?.startsWith(tree) === true
        if (isOurs && specifier === 'vitest') return { url: STAND_IN, shortCircuit: true }
        const found = next(specifier, from)
        const isCopied = found.url.startsWith(tree) && !found.url.includes('/node_modules/')
        // One more load is one more instance of every module of the tree.
        return isCopied ? { ...found, url: `${found.url}?load=${this.#loads}` } : found
      },
    })
    // Another process may have made that run.
    this.#times = await readFile(TIMES, 'utf8').then(
      (text) => JSON.parse(text) as Record<string, number>,
      () => ({}),
    )
    process.on('unhandledRejection', (error) => {
      this.#stray = error
    })
  }

  async dryRun(): Promise<DryRunResult> {
    await this.#load(undefined)
    this.#isSpent = false
    const tests: TestResult[] = []
    let prepared = ''
    for (const test of this.#tests) {
      const { id, file, name } = test
      // What a file's preparation covers, its tests cover.
      context.currentTestId = file
      const fault = file === prepared ? undefined : await this.#failureOf(test.prepare)
      prepared = file
      context.currentTestId = id
      const start = performance.now()
      const failureMessage = fault ?? (await this.#failureOf(test.run))
      const timeSpentMs = performance.now() - start
      this.#times[id] = timeSpentMs
      const facts = { id, name, fileName: file, timeSpentMs }
      tests.push(
        failureMessage === undefined
          ? { ...facts, status: TestStatus.Success }
          : { ...facts, status: TestStatus.Failed, failureMessage },
      )
    }
    context.currentTestId = undefined
    await writeFile(TIMES, JSON.stringify(this.#times))
    return { status: DryRunStatus.Complete, tests, mutantCoverage: this.#coverage() }
  }

  #coverage(): MutantCoverage {
    const { static: loaded, perTest } = context.mutantCoverage ?? { static: {}, perTest: {} }
    const covered: CoveragePerTestId = {}
    for (const { id, file } of this.#tests) covered[id] = { ...perTest[file], ...perTest[id] }
    return { static: loaded, perTest: covered }
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    if (options.reloadEnvironment || this.#isSpent) return (await this.#runAnew(options)).result
    const { result, failed } = await this.#run(options)
    if (failed === undefined) return result
    context.hitLimit = undefined
    const fault = (await this.#failureOf(failed.prepare)) ?? (await this.#failureOf(failed.run))
    if (fault === undefined) return result
    // It fails without the mutant too: something is left of it, or of one before. On clean ground it is seen which.
    return (await this.#runAnew(options)).result
  }

  /** The tests of a mutant in fresh instances of all modules, which nobody uses afterwards. */
  async #runAnew(options: MutantRunOptions): Promise<Seen> {
    this.#isSpent = true
    try {
      await this.#load(options.mutantActivation === 'static' ? options.activeMutant.id : undefined)
    } catch (error) {
      return { result: killed('the tests do not load', wordsOf(error), 0) }
    }
    const seen = await this.#run(options)
    // What survived left nothing behind, unless it was there while the modules were loaded.
    this.#isSpent = options.mutantActivation === 'static' || seen.failed !== undefined
    return seen
  }

  async #run({ activeMutant, hitLimit, testFilter }: MutantRunOptions): Promise<Seen> {
    const asked = testFilter === undefined ? undefined : new Set(testFilter)
    // The quickest first: most mutants do not live to meet the others.
    const tests = this.#tests
      .filter(({ id }) => asked === undefined || asked.has(id))
      .toSorted((one, other) => this.#timeOf(one) - this.#timeOf(other))
    context.hitCount = 0
    context.hitLimit = hitLimit
    context.activeMutant = activeMutant.id
    try {
      const prepared = new Set<string>()
      for (const [at, test] of tests.entries()) {
        const fault = prepared.has(test.file) ? undefined : await this.#failureOf(test.prepare)
        prepared.add(test.file)
        const failure = fault ?? (await this.#failureOf(test.run))
        if (failure === undefined) continue
        // A loop that no longer ends is ended by instrumented code.
        const isEndless = hitLimit !== undefined && (context.hitCount ?? 0) > hitLimit
        return isEndless
          ? { result: { status: MutantRunStatus.Timeout }, failed: test }
          : { result: killed(test.id, failure, at + 1), failed: test }
      }
      return { result: { status: MutantRunStatus.Survived, nrOfTests: tests.length } }
    } finally {
      context.activeMutant = undefined
    }
  }

  #timeOf({ id }: LoadedTest): number {
    return this.#times[id] ?? 0
  }

  async #load(activeMutant: string | undefined): Promise<void> {
    this.#loads += 1
    const load = this.#loads
    const tests: LoadedTest[] = []
    context.activeMutant = activeMutant
    try {
      for (const file of groupOf(process.env).tests) {
        const url = pathToFileURL(`${process.cwd()}/${file}`).href
        const found = await collect(() => import(`${url}?load=${load}`))
        for (const [at, { name, run }] of found.tests.entries())
          tests.push({ id: `${file}#${at} ${name}`, file, name, prepare: found.prepare, run })
      }
    } finally {
      context.activeMutant = undefined
    }
    this.#tests = tests
  }

  async #failureOf(run: () => Promise<void>): Promise<string | undefined> {
    this.#stray = undefined
    try {
      await run()
    } catch (error) {
      return wordsOf(error)
    }
    return this.#stray === undefined ? undefined : wordsOf(this.#stray)
  }
}

interface Seen {
  readonly result: MutantRunResult
  /** The test that noticed. */
  readonly failed?: LoadedTest
}

function killed(killedBy: string, failureMessage: string, nrOfTests: number): MutantRunResult {
  return { status: MutantRunStatus.Killed, killedBy: [killedBy], failureMessage, nrOfTests }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

export const strykerPlugins = [
  declareFactoryPlugin(PluginKind.TestRunner, 'same-process', () => new SameProcessRunner()),
]
