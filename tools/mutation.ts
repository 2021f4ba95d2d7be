/**
 * `npm run mutation`: changes the code that narrows, decides and verifies, one small change at a time, and asks the tests to
 * notice (Stryker). Exit codes: 0 enough was noticed in every group, 1 too little or a run that failed, 2 misused.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { GROUPS, type MutationGroup } from './mutation/groups.ts'
import {
  type GroupScore,
  percentOf,
  type StrykerReport,
  scoreOf,
  scoreText,
  sumOf,
  THRESHOLD,
} from './mutation/report.ts'
import { strykerOptions } from './mutation/stryker-options.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** Reports, and copies of the tree while they are used. */
const FOLDER = '.mutation'

interface Options {
  readonly json?: true
  readonly incremental?: true
}

const program = new Command('npm run mutation --')
  .description(
    `Mutates each group and runs its tests. Fails where a group’s score is below ${THRESHOLD} %.`,
  )
  .argument('[group]', 'one of them, or all, which is the default', groupsNamed)
  .option('--json', 'prints scores and survivors as one JSON value')
  .option(
    '--incremental',
    'runs only what changed since the last such run: while tests are written',
  )
  .addHelpText(
    'after',
    `\nGroups:\n${GROUPS.map(({ name, text }) => `  ${name.padEnd(10)} ${text}`).join('\n')}`,
  )
  .exitOverride()

function groupsNamed(name: string): readonly MutationGroup[] {
  const named = name === 'all' ? GROUPS : GROUPS.filter((group) => group.name === name)
  if (named.length > 0) return named
  throw new InvalidArgumentError(
    `It is none of ${GROUPS.map((group) => group.name).join(', ')}, all.`,
  )
}

/** Runs Stryker on one group; its progress goes to stderr. */
async function run(
  group: MutationGroup,
  isIncremental: boolean,
  stop: AbortSignal,
): Promise<GroupScore> {
  process.stderr.write(`${group.name}: ${group.files.length} files\n`)
  const report = join(ROOT, FOLDER, `${group.name}.json`)
  const options = join(ROOT, FOLDER, `${group.name}-options.json`)
  // That of an earlier run is no result of this one.
  await rm(report, { force: true })
  await writeFile(options, JSON.stringify(strykerOptions(group, FOLDER)))
  const child = spawn(
    process.execPath,
    [
      join(ROOT, 'node_modules/@stryker-mutator/core/bin/stryker.js'),
      'run',
      options,
      ...(isIncremental ? ['--incremental'] : []),
    ],
    {
      cwd: ROOT,
      stdio: ['ignore', process.stderr, process.stderr],
      env: { ...process.env, MUTATION_GROUP: group.name },
    },
  )
  // Its own runners end with it.
  const end = () => child.kill('SIGTERM')
  stop.addEventListener('abort', end)
  const code = await endOf(child)
  stop.removeEventListener('abort', end)
  if (code !== 0)
    throw new Error(`Stryker ended with ${code} on ${group.name}; what it said is above`)
  return scoreOf(group.name, JSON.parse(await readFile(report, 'utf8')) as StrykerReport)
}

function endOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? signal ?? 1))
  })
}

async function main(): Promise<number> {
  try {
    program.parse()
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : 2
  }
  const options = program.opts<Options>()
  const [groups = GROUPS] = program.processedArgs as [(readonly MutationGroup[])?]
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stopping.abort(signal))
  await mkdir(join(ROOT, FOLDER), { recursive: true })
  const scores: GroupScore[] = []
  try {
    for (const group of groups) {
      const score = await run(group, options.incremental === true, stopping.signal)
      scores.push(score)
      if (options.json !== true) console.log(scoreText(score))
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return 1
  } finally {
    await rm(join(ROOT, FOLDER, 'copies'), { recursive: true, force: true })
  }
  const score = percentOf(sumOf(scores))
  if (options.json === true)
    console.log(JSON.stringify({ threshold: THRESHOLD, score, groups: scores }))
  else console.log(`${groups.length === 1 ? 'the group' : 'all'}: ${score.toFixed(2)} %`)
  return scores.every((one) => one.score >= THRESHOLD) ? 0 : 1
}

process.exitCode = await main()
