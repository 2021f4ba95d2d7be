/**
 * `npm run bench`: what an exchange, a verification and a token cost, against what nobody can do without. Ratios to
 * something measured in the same run are the result; absolute figures belong to one machine on one day.
 */
import { parseArgs } from 'node:util'
import type { Area, Bench, Target } from './area.ts'
import { audit } from './areas/audit.ts'
import { decision } from './areas/decision.ts'
import { exchange } from './areas/exchange.ts'
import { hostile } from './areas/hostile.ts'
import { profile } from './areas/profile.ts'
import { revocation } from './areas/revocation.ts'
import { size } from './areas/size.ts'
import { tenant } from './areas/tenant.ts'
import { tokens } from './areas/tokens.ts'
import { verify } from './areas/verify.ts'
import { takeCores } from './cores.ts'
import { jsonPrinter, type Printer, tablePrinter } from './printer.ts'

const AREAS: readonly Area[] = [
  exchange,
  decision,
  tenant,
  verify,
  tokens,
  size,
  hostile,
  audit,
  revocation,
  profile,
]

const HELP = `Usage: npm run bench -- [options] [area ...]

Areas, all but profile when none is named:
${AREAS.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`).join('\n')}

Options:
  --quick     a few seconds to see that it works; its figures mean nothing
  --long      more of everything where an area has more: audit takes ten million entries
  --json      JSON lines, on a terminal too
  --help      show this help

The last lines name each target and whether it was met.
Exit codes: 0 everything ran, 1 something did not, 2 misused.
`

interface Options {
  readonly json: boolean
  readonly quick: boolean
  readonly long: boolean
  readonly areas: readonly Area[]
}

async function main(): Promise<number> {
  const options = readOptions()
  if (typeof options === 'number') return options
  // Whoever reads may have seen enough.
  process.stdout.on('error', () => process.exit(1))
  const write = (text: string): void => void process.stdout.write(text)
  const isTable = process.stdout.isTTY && !options.json
  const printer = isTable ? tablePrinter(write) : jsonPrinter(write)
  const cores = takeCores()
  printer.note(
    cores.pinned
      ? 'servers and everything else on a core each'
      : 'not pinned: taskset or a second core is missing, so figures are noisier',
  )
  const { quick, long } = options
  const bench: Bench = { quick, long, cores, emit: (line) => printer.line(line) }
  return runAll(options.areas, bench, printer)
}

async function runAll(areas: readonly Area[], bench: Bench, printer: Printer): Promise<number> {
  const targets: Target[] = []
  let failed = 0
  for (const area of areas) {
    try {
      targets.push(...(await area.run(bench)))
    } catch (fault) {
      failed++
      printer.note(`${area.name} did not run`)
      process.stderr.write(`${fault instanceof Error ? fault.stack : String(fault)}\n`)
    }
  }
  for (const target of targets) printer.target(target)
  return failed === 0 ? 0 : 1
}

/** The options, or the exit code where nothing is to be run. */
function readOptions(): Options | number {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        long: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(HELP)
      return 0
    }
    const { json, quick, long } = values
    return { json, quick, long, areas: select(positionals) }
  } catch (error) {
    const why = error instanceof Error ? error.message : 'wrong options'
    process.stderr.write(`${why}\nSee --help.\n`)
    return 2
  }
}

/** Areas in the order of the list, whatever order they are named in. Throws on a name that is none. */
function select(names: readonly string[]): readonly Area[] {
  const unknown = names.find((name) => !AREAS.some((area) => area.name === name))
  if (unknown !== undefined) throw new Error(`There is no area ${JSON.stringify(unknown)}.`)
  return AREAS.filter(({ name, byDefault }) =>
    names.length === 0 ? byDefault : names.includes(name),
  )
}

process.exitCode = await main()
