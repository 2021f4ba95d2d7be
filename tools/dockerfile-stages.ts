/**
 * What a Dockerfile says, as data: its stages and their instructions, in order. Reads the part of the language this
 * project's Dockerfile is written in and refuses the rest, so that nothing is left out in silence.
 */

export type Instruction =
  | {
      readonly kind: 'workdir' | 'user' | 'volume' | 'expose' | 'stopsignal'
      readonly value: string
    }
  | { readonly kind: 'env'; readonly variables: Readonly<Record<string, string>> }
  | { readonly kind: 'run'; readonly command: string }
  | { readonly kind: 'healthcheck' | 'entrypoint'; readonly argv: readonly string[] }
  | {
      readonly kind: 'copy'
      /** The stage copied from; undefined: the build context. */
      readonly from: string | undefined
      readonly owner: string | undefined
      readonly sources: readonly string[]
      readonly target: string
    }

export interface Stage {
  readonly name: string
  readonly base: string
  readonly instructions: readonly Instruction[]
}

/** The stages in order. Throws on an instruction or a form it does not know. */
export function readStages(text: string): readonly Stage[] {
  const stages: { name: string; base: string; instructions: Instruction[] }[] = []
  for (const line of logicalLines(text)) {
    const [, word = '', rest = ''] = /^(\S+)\s+(.*)$/s.exec(line) ?? []
    if (word === 'FROM') {
      const [, base, name] = /^(\S+) AS (\S+)$/.exec(rest) ?? []
      if (base === undefined || name === undefined) throw new Error(`a stage has no name: ${line}`)
      stages.push({ base, name, instructions: [] })
      continue
    }
    const stage = stages.at(-1)
    if (stage === undefined) throw new Error(`nothing stands before the first FROM: ${line}`)
    stage.instructions.push(readInstruction(word, rest))
  }
  return stages
}

/** Comment lines are dropped, also between continued ones; a backslash joins a line to the next. */
function logicalLines(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

function readInstruction(word: string, rest: string): Instruction {
  switch (word) {
    case 'WORKDIR':
    case 'USER':
    case 'VOLUME':
    case 'EXPOSE':
    case 'STOPSIGNAL':
      return { kind: word.toLowerCase() as 'user', value: rest }
    case 'ENV':
      return { kind: 'env', variables: readVariables(rest) }
    case 'RUN':
      return { kind: 'run', command: rest }
    case 'HEALTHCHECK':
      return { kind: 'healthcheck', argv: readArgv(rest.replace(/^(?:--\S+\s+)*CMD\s+/, '')) }
    case 'ENTRYPOINT':
      return { kind: 'entrypoint', argv: readArgv(rest) }
    case 'COPY':
      return readCopy(rest)
    default:
      throw new Error(`an instruction this reader does not know: ${word}`)
  }
}

function readVariables(rest: string): Readonly<Record<string, string>> {
  const pairs = rest.split(/\s+/).map((pair) => {
    const [, name, value] = /^([A-Z_]+)=(\S+)$/.exec(pair) ?? []
    if (name === undefined || value === undefined) throw new Error(`not NAME=value: ${pair}`)
    return [name, value] as const
  })
  return Object.fromEntries(pairs)
}

function readArgv(rest: string): readonly string[] {
  const argv: unknown = JSON.parse(rest)
  if (Array.isArray(argv) && argv.every((word) => typeof word === 'string')) return argv
  throw new Error(`a command is a JSON list, so that no shell stands in between: ${rest}`)
}

function readCopy(rest: string): Instruction {
  const words = rest.split(/\s+/)
  const flag = (name: string): string | undefined =>
    words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3)
  const paths = words.filter((word) => !word.startsWith('--'))
  const target = paths.at(-1)
  const sources = paths.slice(0, -1)
  if (target === undefined || sources.length === 0)
    throw new Error(`COPY of what to where: ${rest}`)
  return { kind: 'copy', from: flag('from'), owner: flag('chown'), sources, target }
}

/** Whether .dockerignore leaves this path outside the context: the last pattern that matches it or a folder above. */
export function isIgnored(patterns: string, path: string): boolean {
  let ignored = false
  for (const line of patterns.split('\n').map((text) => text.trim())) {
    if (line === '' || line.startsWith('#')) continue
    const pattern = line.replace(/^!/, '')
    if (matchesPathOrParent(pattern, path)) ignored = !line.startsWith('!')
  }
  return ignored
}

function matchesPathOrParent(pattern: string, path: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/|\*/g, (star) => (star === '*' ? '[^/]*' : '(?:.*/)?'))
  const expression = new RegExp(`^${source}$`)
  const parts = path.split('/')
  return parts.some((_, index) => expression.test(parts.slice(0, index + 1).join('/')))
}
