import { readFile } from 'node:fs/promises'
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

test.each(['adapters/koa', 'adapters/express', 'adapters/fastify', 'adapters/fetch', 'metadata'])(
  '%s needs no runtime and no framework',
  async (entry) => {
    expect((await bundle(entry)).length).toBeGreaterThan(500)
  },
)

test('the README names every reason and option', async () => {
  const readme = await readFile(`${LIB}README.md`, 'utf8')
  const families = /^(bounds|root|hop|actor)_|^token_(id|index|times|audience|scope)_mismatch$/
  const missing = Object.keys(VERIFICATION_REASONS).filter(
    (reason) => !families.test(reason) && !readme.includes(`\`${reason}\``),
  )
  expect(missing).toEqual([])
  const options = await readFile(`${LIB}src/options.ts`, 'utf8')
  const [, body = ''] = /export interface VerifierOptions \{(.*?)\n\}/s.exec(options) ?? []
  const names = [...body.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name)
  expect(names.length).toBeGreaterThan(15)
  expect(names.filter((name) => !readme.includes(`\`${name}\``) && name !== 'keys')).toEqual([])
})
