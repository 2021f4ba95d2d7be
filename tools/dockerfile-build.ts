/**
 * Builds the Dockerfile's stages without Docker: each stage is a folder, its COPY and RUN instructions are really done
 * there. RUN works on relative paths only, so a folder can stand for the image's root.
 */
import { spawnSync } from 'node:child_process'
import { chownSync, cpSync, existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { type Instruction, isIgnored, readStages, type Stage } from './dockerfile-stages.ts'

export interface BuiltStage {
  readonly stage: Stage
  /** The folder that stands for `/`. */
  readonly root: string
  /** Working directory inside it, as the Dockerfile writes it. */
  readonly workdir: string
  readonly environment: Readonly<Record<string, string>>
}

export interface BuildInput {
  /** The build context: where Dockerfile and .dockerignore are. */
  readonly context: string
  /** Where the stages' folders are made. */
  readonly into: string
  /** Folder whose `node` runs in RUN. */
  readonly nodeFolder: string
}

/** The last stage, built. Throws, with what the command wrote, where a RUN fails. */
export function buildImage(input: BuildInput): BuiltStage {
  const stages = readStages(readFileSync(join(input.context, 'Dockerfile'), 'utf8'))
  const built = new Map<string, BuiltStage>()
  for (const stage of stages) built.set(stage.name, buildStage(input, stage, built))
  const last = [...built.values()].at(-1)
  if (last === undefined) throw new Error('the Dockerfile has no stage')
  return last
}

function buildStage(
  input: BuildInput,
  stage: Stage,
  built: ReadonlyMap<string, BuiltStage>,
): BuiltStage {
  const root = join(input.into, stage.name)
  mkdirSync(root, { recursive: true })
  let workdir = '/'
  let environment: Readonly<Record<string, string>> = {}
  for (const instruction of stage.instructions) {
    if (instruction.kind === 'workdir') {
      workdir = instruction.value
      mkdirSync(join(root, workdir), { recursive: true })
    } else if (instruction.kind === 'env') {
      environment = { ...environment, ...instruction.variables }
    } else if (instruction.kind === 'copy') {
      copy(input, { root, workdir }, instruction, built)
    } else if (instruction.kind === 'run') {
      run(instruction.command, { cwd: join(root, workdir), environment, input })
    }
  }
  return { stage, root, workdir, environment }
}

function copy(
  input: BuildInput,
  place: { readonly root: string; readonly workdir: string },
  { from, owner, sources, target }: Extract<Instruction, { kind: 'copy' }>,
  built: ReadonlyMap<string, BuiltStage>,
): void {
  const origin = from === undefined ? input.context : built.get(from)?.root
  if (origin === undefined) throw new Error(`COPY from a stage that is not there: ${from}`)
  const to = join(place.root, target.startsWith('/') ? '' : place.workdir, target)
  const ignore = from === undefined ? readFileSync(join(origin, '.dockerignore'), 'utf8') : ''
  for (const source of sources) {
    const path = join(origin, source)
    const isFolder = lstatSync(path).isDirectory()
    // As Docker: a folder's content is copied, a file goes into a target that ends in a slash.
    const destination = isFolder || !target.endsWith('/') ? to : join(to, basename(source))
    mkdirSync(dirname(destination), { recursive: true })
    cpSync(path, destination, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (file) => lstatSync(file).isDirectory() || !isIgnored(ignore, relative(origin, file)),
    })
    if (!existsSync(destination)) throw new Error(`COPY found nothing of ${source}`)
    // Only root can give a folder away; anyone else builds what is theirs already.
    if (owner !== undefined && process.getuid?.() === 0) {
      const [uid = 0, gid = 0] = owner.split(':').map(Number)
      chownSync(destination, uid, gid)
    }
  }
}

function run(
  command: string,
  place: {
    readonly cwd: string
    readonly environment: Readonly<Record<string, string>>
    readonly input: BuildInput
  },
): void {
  const { cwd, environment, input } = place
  const { PATH, HOME, NODE_EXTRA_CA_CERTS } = process.env
  const { status, stderr, stdout } = spawnSync('/bin/sh', ['-c', command], {
    cwd,
    encoding: 'utf8',
    env: {
      PATH: `${input.nodeFolder}:${PATH}`,
      HOME,
      // What `npm ci` of this project fetched a moment ago is not fetched again.
      npm_config_prefer_offline: 'true',
      // Behind a proxy that ends TLS the registry's certificate is signed by that proxy's owner.
      ...(NODE_EXTRA_CA_CERTS !== undefined && { NODE_EXTRA_CA_CERTS }),
      ...environment,
    },
  })
  if (status !== 0) throw new Error(`RUN ${command} ended with ${status}: ${stdout}${stderr}`)
}
