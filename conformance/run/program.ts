/**
 * The runner's command line: 0 when no row failed, 1 when one did or the suite did not run to its end, 2 when it was misused.
 * Results go to stdout, progress and faults to stderr.
 */
import { writeFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import { REQUIREMENTS } from '../requirements.ts'
import type { GivenProfile } from '../suite/profile.ts'
import { junitOf } from './junit.ts'
import { listing, listingText } from './list.ts'
import { pageOf } from './page.ts'
import { ProfileFault, readProfileFile } from './profile-text.ts'
import { type Level, type Mode, OUTCOMES, type RunResult, totalsOf } from './result.ts'
import { runSuite } from './run-suite.ts'
import { tableOf } from './table.ts'

/** Whose runner it is: a server that is started where no other is named, and the page about it. */
export interface House {
  /** Starts it; resolves to its profile and what stops it. */
  readonly start: () => Promise<{ readonly profile: string; readonly stop: () => Promise<void> }>
  readonly page: (result: RunResult) => string
}

interface Options {
  readonly target?: string
  readonly level?: Level
  readonly mode: Mode
  readonly only: readonly string[]
  readonly json?: boolean
  readonly junit?: string
  readonly report?: string
  readonly list?: boolean
}

/** Misuse, in words that say what to do instead. */
class Misuse extends Error {}

/** @param argv as process.argv is; resolves to the exit code */
export async function runProgram(argv: readonly string[], house?: House): Promise<number> {
  try {
    const command = createCommand().parse(argv)
    return await runWith(command.opts<Options>(), house)
  } catch (fault) {
    if (fault instanceof CommanderError) return fault.exitCode === 0 ? 0 : 2
    process.stderr.write(`${fault instanceof Error ? fault.message : String(fault)}\n`)
    return fault instanceof ProfileFault || fault instanceof Misuse ? 2 : 1
  }
}

function createCommand(): Command {
  return new Command('conformance')
    .description('Runs the conformance suite against an authorization server, over HTTP')
    .exitOverride()
    .allowExcessArguments(false)
    .option(
      '--target <file>',
      'profile of the server, in YAML; without it, the server of this project is started',
    )
    .addOption(
      new Option(
        '--level <level>',
        'spec: the specifications; delegation: the delegation profile too',
      ).choices(['spec', 'delegation']),
    )
    .addOption(
      new Option(
        '--mode <mode>',
        'strict: the error code of the row alone; lenient: others pass, with a warning',
      )
        .choices(['strict', 'lenient'])
        .default('strict'),
    )
    .option('--only <beginning>', 'rows whose id begins so; may be given again', gathered, [])
    .option('--json', 'print the result as JSON')
    .option('--junit <file>', 'write the result as JUnit XML')
    .option('--report <file>', 'write the result as a page of markdown')
    .option('--list', 'print the rows and the features, and ask no server anything')
    .addHelpText(
      'after',
      '\nExit codes: 0 no row failed, 1 one did, 2 misused.\nThe profile is explained in conformance/README.md.',
    )
}

function gathered(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

async function runWith(options: Options, house: House | undefined): Promise<number> {
  const { only, mode } = options
  const unknown = only.find((text) => !Object.keys(REQUIREMENTS).some((id) => id.startsWith(text)))
  if (unknown !== undefined) {
    throw new Misuse(`--only ${unknown}: no id begins so; --list prints them`)
  }
  if (options.list === true) {
    const listed = listing({ level: options.level ?? 'delegation', only })
    process.stdout.write(
      options.json === true ? `${JSON.stringify(listed)}\n` : listingText(listed),
    )
    return 0
  }
  if (options.target !== undefined) {
    const result = await run(readProfileFile(options.target), { ...options, mode })
    return tell(result, options, (one) => pageOf(one, { head: headOf(one), suite: 'suite' }))
  }
  if (house === undefined) throw new Misuse('--target: which server? Name the file of its profile')
  process.stderr.write('starting the server of this project\n')
  const { profile, stop } = await house.start()
  try {
    const result = await run(readProfileFile(profile), { ...options, mode })
    return tell(result, options, house.page)
  } finally {
    await stop()
  }
}

function run(profile: GivenProfile, { level, mode, only }: Options): Promise<RunResult> {
  return runSuite(profile, { level: level ?? profile.level ?? 'spec', mode, only })
}

function headOf({ target, level, mode }: RunResult): readonly string[] {
  return ['# Conformance', `${target}, level ${level}, ${mode}.`]
}

function tell(result: RunResult, { json, junit, report }: Options, page: House['page']): 0 | 1 {
  if (junit !== undefined) writeFileSync(junit, junitOf(result))
  if (report !== undefined) writeFileSync(report, page(result))
  process.stdout.write(
    json === true ? `${JSON.stringify(result)}\n` : `${tableOf(result)}${closing(result)}`,
  )
  return totalsOf(result.rows).failed > 0 ? 1 : 0
}

function closing({ rows }: RunResult): string {
  const totals = totalsOf(rows)
  return `${OUTCOMES.map((outcome) => `${totals[outcome]} ${outcome.replaceAll('_', ' ')}`).join(', ')}\n`
}
