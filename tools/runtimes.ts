/**
 * `npm run runtimes`: bundles the verifier once and runs its vectors, nonces, status lists, records and proofs of audit under every runtime
 * found here. Node always runs; Deno, Bun and workerd are optional and counted as skipped where they are not installed.
 */
import { execFile } from 'node:child_process'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { readVectorFiles } from '../conformance/vectors/vector-files.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const RESULT = /^passed (\d+) failed (\d+)$/m

interface Runtime {
  readonly name: string
  /** Where its program is, or undefined where it is not installed. */
  find(): Promise<string | undefined>
  /** Arguments that run the bundle in `folder`. */
  args(folder: string): readonly string[]
}

const RUNTIMES: readonly Runtime[] = [
  {
    name: 'node',
    find: async () => process.execPath,
    args: (folder) => [join(folder, 'main.mjs')],
  },
  {
    name: 'node 20, the oldest supported',
    find: findOldestNode,
    args: (folder) => [join(folder, 'main.mjs')],
  },
  {
    name: 'deno',
    find: () => findProgram('deno'),
    args: (folder) => ['run', '--no-prompt', join(folder, 'main.mjs')],
  },
  { name: 'bun', find: () => findProgram('bun'), args: (folder) => [join(folder, 'main.mjs')] },
  {
    name: 'workerd',
    find: () => findProgram('workerd'),
    args: (folder) => ['test', '--verbose', join(folder, 'worker.capnp')],
  },
]

/** The program: the same in every runtime but for how it ends. */
const program = (vectorFiles: readonly string[]): string => `
import { runAuditProofs } from './tools/run-audit-proofs.ts'
import { runRecords } from './tools/run-records.ts'
import { runSenders } from './tools/run-senders.ts'
import { runStatusLists } from './tools/run-status-lists.ts'
import { runVectors } from './tools/run-vectors.ts'
${vectorFiles.map((file, at) => `import file${at} from './conformance/vectors/${file}'`).join('\n')}
import evidence from './test/lib/audit/evidence.json'
async function main() {
  const vectors = await runVectors('any', ${vectorFiles.map((_, at) => `file${at}`).join(', ')})
  const results = [vectors, await runSenders(), await runRecords(), await runStatusLists(), await runAuditProofs(evidence)]
  const passed = results.reduce((sum, result) => sum + result.passed, 0)
  const failed = results.flatMap((result) => result.failed)
  for (const line of failed) console.log(line)
  console.log('passed ' + passed + ' failed ' + failed.length)
  return failed.length
}
`

const MAIN = 'await main()'

const WORKER = `
export default {
  async test() {
    if ((await main()) > 0) throw new Error('vectors failed')
  },
}
`

const WORKER_CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker.mjs", esModule = embed "worker.mjs")],
    compatibilityDate = "2025-01-01",
  ))],
);
`

/** The machine's own Node 20, if it has one: scripts run on a newer one, which comes first on the path. */
async function findOldestNode(): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const program = join(folder, 'node')
    const version = await promisify(execFile)(program, ['--version']).catch(() => undefined)
    if (version?.stdout.startsWith('v20.') === true) return program
  }
  return undefined
}

async function findProgram(name: string): Promise<string | undefined> {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  for (const folder of [join(ROOT, 'node_modules', '.bin'), ...folders]) {
    const path = join(folder, name)
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path
  }
  return undefined
}

async function bundle(folder: string): Promise<void> {
  const vectorFiles = [...readVectorFiles().keys()]
  for (const [outfile, contents] of [
    ['main.mjs', MAIN],
    ['worker.mjs', WORKER],
  ] as const)
    await build({
      stdin: { contents: program(vectorFiles) + contents, resolveDir: ROOT, loader: 'ts' },
      outfile: join(folder, outfile),
      bundle: true,
      format: 'esm',
      // `neutral` refuses node: imports, so that one that slips in fails here.
      platform: 'neutral',
      target: 'es2022',
      logLevel: 'error',
    })
  await writeFile(join(folder, 'worker.capnp'), WORKER_CONFIG)
}

interface Tally {
  readonly passed: number
  readonly failed: number
  readonly output: string
}

async function run(program: string, args: readonly string[]): Promise<Tally> {
  const options = { timeout: 120_000, maxBuffer: 16_777_216 }
  const output = await promisify(execFile)(program, [...args], options).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: unknown) =>
      `${Reflect.get(Object(error), 'stdout')}${Reflect.get(Object(error), 'stderr')}`,
  )
  const [, passed, failed] = RESULT.exec(output) ?? []
  // A runtime that says nothing has not passed.
  if (passed === undefined || failed === undefined || passed === '0')
    return { passed: 0, failed: 1, output }
  return { passed: Number(passed), failed: Number(failed), output }
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'actchain-runtimes-'))
  const total = { passed: 0, failed: 0, skipped: 0 }
  try {
    await bundle(folder)
    for (const runtime of RUNTIMES) {
      const program = await runtime.find()
      if (program === undefined) {
        total.skipped++
        console.log(`${runtime.name}: not installed, skipped`)
        continue
      }
      const { passed, failed, output } = await run(program, runtime.args(folder))
      total.passed += passed
      total.failed += failed
      console.log(`${runtime.name}: ${passed} passed, ${failed} failed`)
      if (failed > 0) console.log(output)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
  process.exitCode = total.failed > 0 ? 1 : 0
}

await main()
