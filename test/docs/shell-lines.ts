/** What a line of a `sh` block may say: npm scripts, the command line, files and settings that exist. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runHere } from '../cli/run-here.ts'
import { ROOT } from './pages.ts'

/** Commands that have commands of their own. */
const GROUPS = new Set(['dev', 'agents', 'task', 'keys', 'audit'])

/** Programs readers have or can get; what they are given is not checked. */
const FOREIGN = new Set([
  'curl',
  'sh',
  'docker',
  'openssl',
  'mkdir',
  'cp',
  'jq',
  'tail',
  'softhsm2-util',
])

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>
}

const INSTALLED = readFileSync(join(ROOT, '.ci/run'), 'utf8').split(/[\s:]+/)

/** The commands of a block, one by one: lines joined at backslashes, cut at pipes and `&&`. */
export function readCommands(text: string): readonly (readonly string[])[] {
  return text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s*#/.test(line))
    .flatMap((line) => line.split(/\||&&/))
    .map((command) => command.trim().split(/\s+/))
}

/** What is wrong with the command; undefined where it would do something. */
export async function findFault(command: readonly string[]): Promise<string | undefined> {
  const [program = '', ...args] = command.filter((word) => !/^[A-Z0-9_]+=/.test(word))
  if (FOREIGN.has(program)) return undefined
  if (program === 'npm') return findNpmFault(args)
  if (program === 'apt-get' && args[0] === 'install') return findUnpinned(args.slice(1))
  if (program === 'node') return findMissingFile(args.filter((word) => word.endsWith('.ts')))
  if (program === 'actchain') return findCliFault(args)
  if (program !== 'npx') return `no program known here: ${program}`
  const [name, ...rest] = args
  if (name === 'actchain') return findCliFault(rest)
  if (name === 'vitest') return findVitestFault(rest)
  return `npx of what is not ours: ${name}`
}

function findNpmFault(args: readonly string[]): string | undefined {
  const [verb = '', ...rest] = args.filter((word) => word !== '--silent')
  if (verb === 'install' && rest[0] === '--no-save') return findUnpinned(rest.slice(1))
  if (verb === 'ci' || (verb === 'install' && rest[0] === '@actchain/verifier')) return undefined
  const script = verb === 'run' ? (rest[0] ?? '') : verb
  if (verb !== 'run' && verb !== 'start' && verb !== 'test') return `npm does not know ${verb}`
  return Object.hasOwn(scripts, script) ? undefined : `there is no npm script ${script}`
}

/** What pages tell readers to install is what CI installs, in that version. */
function findUnpinned(names: readonly string[]): string | undefined {
  const unknown = names.find((name) => !INSTALLED.includes(name))
  return unknown === undefined ? undefined : `.ci/run does not install ${unknown}`
}

function findMissingFile(files: readonly string[]): string | undefined {
  if (files.length === 0) return 'no file is run'
  const missing = files.find((file) => !existsSync(join(ROOT, file)))
  return missing === undefined ? undefined : `there is no ${missing}`
}

/** `vitest run` of a project there is, or of files there are. */
function findVitestFault(args: readonly string[]): string | undefined {
  const project = args[args.indexOf('--project') + 1] ?? ''
  const configured = readFileSync(join(ROOT, 'vitest.config.ts'), 'utf8')
  if (args.includes('--project') && !configured.includes(`name: '${project}'`)) {
    return `there is no test project ${project}`
  }
  const files = args.filter((word) => word.endsWith('.ts'))
  return files.length === 0 && args.includes('--project') ? undefined : findMissingFile(files)
}

const helps = new Map<string, Promise<string | undefined>>()

/** The words before the first flag that are commands, and every flag, are in the program's own help. */
async function findCliFault(args: readonly string[]): Promise<string | undefined> {
  const depth = GROUPS.has(args[0] ?? '') ? 2 : 1
  const command = args.slice(0, depth)
  const name = command.join(' ')
  const help = (await knownHelp(command)) ?? (await defaultHelp(args))
  if (help === undefined) return `there is no command ${name}`
  const flags = args.filter((word) => word.startsWith('--'))
  const unknown = flags.find((flag) => !new RegExp(`^  ${flag}\\b`, 'm').test(help))
  return unknown === undefined ? undefined : `actchain ${name} has no ${unknown}`
}

/** `actchain agents acme`: of `agents usage`, where one word is given that is no command. */
async function defaultHelp([group, ...rest]: readonly string[]): Promise<string | undefined> {
  const flag = rest.findIndex((word) => word.startsWith('-'))
  const words = flag < 0 ? rest : rest.slice(0, flag)
  return group === 'agents' && words.length === 1 ? knownHelp([group, 'usage']) : undefined
}

async function knownHelp(command: readonly string[]): Promise<string | undefined> {
  const name = command.join(' ')
  const known = helps.get(name) ?? helpOf(command)
  helps.set(name, known)
  return known
}

async function helpOf(command: readonly string[]): Promise<string | undefined> {
  const { code, stdout } = await runHere([...command, '--help'])
  return code === 0 && stdout.startsWith(`Usage: actchain ${command.join(' ')}`)
    ? stdout
    : undefined
}
