/**
 * The `actchain` program: its sub-commands, and the one place where a failure becomes a sentence on stderr and an exit code
 * (0 good, 1 refused or failed, 2 misused).
 */
import { Command, CommanderError } from 'commander'
import { addAgents } from './agents.ts'
import { addApply } from './apply.ts'
import { addAudit } from './audit.ts'
import { addCheck } from './check.ts'
import { addDevCurl } from './dev-curl.ts'
import { addDevUserToken } from './dev-user-token.ts'
import { addDiff } from './diff.ts'
import { addExplain } from './explain.ts'
import { AnsweredNo, Failure } from './failure.ts'
import { addInit } from './init.ts'
import { addInspect } from './inspect.ts'
import { addKeys } from './keys.ts'
import { escaped } from './print.ts'
import { addServe, type StartServer } from './serve.ts'
import { addTask } from './task.ts'
import { addRollback, addVersions } from './versions.ts'

/** Runs one command line; resolves to its exit code. `loadStart` is called by `serve` alone. */
export async function runProgram(
  argv: readonly string[],
  loadStart: () => Promise<StartServer>,
): Promise<number> {
  try {
    await createProgram(loadStart).parseAsync(withIdsLast(argv))
    return 0
  } catch (error) {
    return exitCodeOf(error)
  }
}

/** 128 bits or 48 in base64url (a task's id, a key's): one in 64 begins as an option does, and none of ours looks so. */
const ID_LIKE_OPTION = /^-[A-Za-z0-9_-]{21}$|^-[A-Za-z0-9_][A-Za-z0-9_-]{6}$/

/** Ids come last in every command that takes one, so what looks like an option can stand behind the mark that ends options. */
function withIdsLast(argv: readonly string[]): readonly string[] {
  if (argv.includes('--')) return argv
  const ids = argv.filter((argument) => ID_LIKE_OPTION.test(argument))
  if (ids.length === 0) return argv
  return [...argv.filter((argument) => !ids.includes(argument)), '--', ...ids]
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
  addTask(program)
  addKeys(program)
  addAudit(program)
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
    .trim()
    .replace(/\.$/, '')
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
