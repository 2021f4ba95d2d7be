/**
 * The `actchain` program: its sub-commands, and the one place where a failure becomes a sentence on stderr and an exit code
 * (0 good, 1 refused or failed, 2 misused).
 */
import { Command, CommanderError } from 'commander'
import { addAgents } from './agents.ts'
import { addApply } from './apply.ts'
import { addCheck } from './check.ts'
import { addDevCurl } from './dev-curl.ts'
import { addDevUserToken } from './dev-user-token.ts'
import { addDiff } from './diff.ts'
import { addExplain } from './explain.ts'
import { AnsweredNo, Failure } from './failure.ts'
import { addInit } from './init.ts'
import { addInspect } from './inspect.ts'
import { escaped } from './print.ts'
import { addServe, type StartServer } from './serve.ts'
import { addRollback, addVersions } from './versions.ts'

/** Runs one command line; resolves to its exit code. `loadStart` is called by `serve` alone. */
export async function runProgram(
  argv: readonly string[],
  loadStart: () => Promise<StartServer>,
): Promise<number> {
  try {
    await createProgram(loadStart).parseAsync(argv)
    return 0
  } catch (error) {
    return exitCodeOf(error)
  }
}

function createProgram(loadStart: () => Promise<StartServer>): Command {
  const program = new Command('actchain')
    .description('The authorization server for work that agents hand to agents')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(sentence(text)) })
  addServe(program, loadStart)
  addInit(program)
  addCheck(program)
  addExplain(program)
  addDiff(program)
  addApply(program)
  addVersions(program)
  addRollback(program)
  addAgents(program)
  addInspect(program)
  const dev = program.command('dev').description('commands for development; refused in production')
  addDevUserToken(dev)
  addDevCurl(dev)
  return program
}

/**
 * Commander writes `error: unknown option '--x'`, with a suggestion on a second line. It repeats surplus arguments, which may
 * be a token: those are cut off.
 */
function sentence(text: string): string {
  const plain = text
    .replace(/^error: /, '')
    .replace(/( but got \d+): .*/s, '$1')
    .replace(/\.$/, '')
    .trim()
    .split('\n')
    .map(escaped)
    .join(' ')
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}. See --help.\n`
}

function exitCodeOf(error: unknown): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof AnsweredNo) return 1
  const text = error instanceof Error ? error.message : 'The command failed.'
  process.stderr.write(`${text.split('\n').map(escaped).join('\n')}\n`)
  return error instanceof Failure ? error.exitCode : 1
}
