/** What a resource server's users download or its bundle grows by: the verifier's entries, minified and compressed. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import type { Area } from '../area.ts'

const LIB = join(import.meta.dirname, '../../lib')
const MAIN_ENTRY = '.'
const MOST_BYTES = 10 * 1024

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly 'actchain:source': string }>>
}

export const size: Area = {
  name: 'size',
  summary: "the verifier's entries in bytes, minified and gzip",
  byDefault: true,
  run: async ({ emit }) => {
    const text = await readFile(join(LIB, 'package.json'), 'utf8')
    const { exports } = JSON.parse(text) as Manifest
    let main = Number.NaN
    for (const [entry, { 'actchain:source': source }] of Object.entries(exports)) {
      const whole = await bundle(source, [])
      const withoutJose = await bundle(source, ['jose'])
      if (entry === MAIN_ENTRY) main = compressed(whole)
      emit({
        name: `size.${entry === MAIN_ENTRY ? 'main' : entry.slice(2)}`,
        value: compressed(whole),
        unit: 'bytes',
        minified: whole.length,
        with_jose_external: compressed(withoutJose),
      })
    }
    const target = 'verifier, main entry with all it needs, minified and gzip, in bytes'
    return [{ target, value: main, bound: { most: MOST_BYTES } }]
  },
}

async function bundle(source: string, external: readonly string[]): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [join(LIB, source)],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    external: [...external],
  })
  const [file] = outputFiles
  if (file === undefined) throw new Error(`${source} gave no bundle`)
  return file.contents
}

function compressed(bytes: Uint8Array): number {
  return gzipSync(bytes, { level: 9 }).length
}
