/**
 * A page that is a tutorial, as what its reader does: commands with what they print, and texts to write into files. The file is the
 * last one named before a block; with "below `line`" the text goes under that line, otherwise it is a new file.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export type Act =
  | {
      readonly kind: 'commands'
      readonly at: string
      readonly text: string
      /** Undefined: the page does not show what is printed. */
      readonly printed: string | undefined
    }
  | {
      readonly kind: 'text'
      readonly at: string
      readonly file: string
      readonly below: string | undefined
      readonly text: string
    }

const BLOCK = /```(\w+)\n([^]*?)\n```/g
const FILE = /`([\w./-]+\.(?:cedar|yaml))`(?:[^`]*?\bbelow `([^`]+)`)?/g

/** What is done on the page up to the heading `end`. */
export function readActs(page: string, text: string, end: string): readonly Act[] {
  const part = text.slice(0, text.indexOf(`\n## ${end}`))
  const acts: Act[] = []
  let read = 0
  for (const block of part.matchAll(BLOCK)) {
    const [whole, language = '', body = ''] = block
    const prose = part.slice(read, block.index)
    read = block.index + whole.length
    const at = `${page}:${part.slice(0, block.index).split('\n').length}`
    const last = acts.at(-1)
    if (language === 'sh') acts.push({ kind: 'commands', at, text: body, printed: undefined })
    else if (language !== 'text') acts.push(textAct(at, prose, body))
    else if (last?.kind === 'commands') acts[acts.length - 1] = { ...last, printed: body }
  }
  return acts
}

function textAct(at: string, prose: string, text: string): Act {
  const [, file, below] = [...prose.matchAll(FILE)].at(-1) ?? []
  if (file === undefined) throw new Error(`${at}: no file is named for this text`)
  return { kind: 'text', at, file, below, text }
}

/** Does what the page says, in the tenant's folder. */
export function writeText(folder: string, act: Extract<Act, { kind: 'text' }>): void {
  const path = join(folder, act.file)
  if (act.below === undefined) {
    if (existsSync(path)) throw new Error(`${act.at}: ${act.file} is there already`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${act.text}\n`)
    return
  }
  const lines = readFileSync(path, 'utf8').split('\n')
  const found = lines.flatMap((line, index) =>
    line.trim().replace(/^- /, '') === act.below ? [index] : [],
  )
  const [only, ...others] = found
  if (only === undefined || others.length > 0) {
    throw new Error(`${act.at}: ${found.length} lines of ${act.file} are "${act.below}"`)
  }
  const indent = ' '.repeat((lines[only] ?? '').indexOf(act.below))
  lines.splice(only + 1, 0, ...act.text.split('\n').map((line) => `${indent}${line}`))
  writeFileSync(path, lines.join('\n'))
}

const VERSION = /\b[0-9a-f]{12}\b/g
/** Stands for a time; nothing that is printed has it. */
const TIMELESS = '\u0000'
const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g

/**
 * Whether this is what was printed. `…` alone on a line stands for any lines; times are not compared. Versions may differ, but
 * one of the page is always the same one of the run: they are remembered.
 */
export function isPrinted(shown: string, printed: string, versions: Map<string, string>): boolean {
  const pattern = shown.split('\n').map((line) => (line === '…' ? '(?:.*\n)*' : lineOf(line)))
  const match = new RegExp(`^${pattern.join('')}$`).exec(`${printed.trimEnd()}\n`)
  if (match === null) return false
  const named = [...shown.matchAll(VERSION)].map(([version]) => version)
  return named.every((version, index) => {
    const actual = match[index + 1] ?? ''
    const known = versions.get(version) ?? actual
    versions.set(version, known)
    return known === actual
  })
}

function lineOf(line: string): string {
  const literal = line.replace(TIME, TIMELESS).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return `${literal.replaceAll(TIMELESS, '\\S+').replace(VERSION, '([0-9a-f]{12})')}\n`
}

/** The commands with the versions of this run. */
export function withVersions(text: string, versions: ReadonlyMap<string, string>): string {
  return text.replace(VERSION, (version) => versions.get(version) ?? version)
}
