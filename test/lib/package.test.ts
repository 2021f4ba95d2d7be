import { access, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { VERIFICATION_REASONS } from '../../lib/src/errors.ts'

const LIB = fileURLToPath(new URL('../../lib/', import.meta.url))

/** Bundles one entry for no particular runtime: a node: import would fail here. */
async function bundle(entry: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [`${LIB}src/${entry}.ts`],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
  })
  const [file] = outputFiles
  return file?.contents ?? expect.unreachable()
}

test('the main entry, with all it needs, is at most ten kilobytes', async () => {
  const bytes = gzipSync(await bundle('index'), { level: 9 }).length
  expect(bytes).toBeGreaterThan(5_000)
  expect(bytes).toBeLessThanOrEqual(10 * 1024)
})

test('the main entry has nothing of the proofs of audit in it', async () => {
  const { metafile } = await build({
    entryPoints: [`${LIB}src/index.ts`],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'neutral',
  })
  const files = Object.keys(metafile.inputs)
  expect(files.length).toBeGreaterThan(20)
  expect(files.filter((file) => file.includes('/audit/'))).toEqual([])
})

test.each([
  'adapters/koa',
  'adapters/express',
  'adapters/fastify',
  'adapters/fetch',
  'adapters/mcp',
  'metadata',
  'certificate',
  'nonces',
  'records/records',
  'status/status-lists',
  'audit/index',
])('%s needs no runtime and no framework', async (entry) => {
  expect((await bundle(entry)).length).toBeGreaterThan(500)
})

test('every sub-path of the package leads to a source, and its build to the same place', async () => {
  const { exports } = JSON.parse(await readFile(`${LIB}package.json`, 'utf8')) as {
    readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
  }
  const paths = Object.values(exports)
  expect(paths.length).toBeGreaterThan(6)
  for (const { 'actchain:source': source = '', types, default: built } of paths) {
    await access(`${LIB}${source}`)
    const at = source.replace('./src/', './dist/').replace(/\.ts$/, '')
    expect([types, built]).toEqual([`${at}.d.ts`, `${at}.js`])
  }
})

test('the README names every reason and option', async () => {
  const readme = await readFile(`${LIB}README.md`, 'utf8')
  const families = /^(bounds|root|hop|actor)_|^token_(id|index|times|audience|scope)_mismatch$/
  const missing = Object.keys(VERIFICATION_REASONS).filter(
    (reason) => !families.test(reason) && !readme.includes(`\`${reason}\``),
  )
  expect(missing).toEqual([])
  const names = [
    ...(await optionsIn('options', 'VerifierOptions')),
    ...(await optionsIn('status/status-lists', 'StatusListsOptions')),
    ...(await optionsIn('nonces', 'ProofNoncesOptions')),
    ...(await optionsIn('records/options', 'RecordsOptions')),
  ]
  expect(names.length).toBeGreaterThan(20)
  expect(names.filter((name) => !readme.includes(`\`${name}\``) && name !== 'keys')).toEqual([])
  const faults = await readFile(`${LIB}src/fault.ts`, 'utf8')
  const [, kinds = ''] = /readonly kind:(.*?)\/\*\* Plain/s.exec(faults) ?? []
  const named = [...kinds.matchAll(/'(\w+)'/g)].map(([, kind]) => kind)
  expect(named.length).toBe(8)
  expect(named.filter((kind) => !readme.includes(`\`${kind}\``))).toEqual([])
})

async function optionsIn(file: string, name: string): Promise<readonly (string | undefined)[]> {
  const source = await readFile(`${LIB}src/${file}.ts`, 'utf8')
  const [, body = ''] = new RegExp(`interface ${name} \\{(.*?)\\n\\}`, 's').exec(source) ?? []
  return [...body.matchAll(/readonly (\w+)\??:/g)].map(([, option]) => option)
}
