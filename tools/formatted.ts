/** Text as the project's formatter would leave it: pages that are written by a tool are held to the same form as others. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** `path` is from the root; its ending tells what kind of text it is. */
export function formatted(path: string, text: string): string {
  const biome = join(ROOT, 'node_modules/.bin/biome')
  const { status, stdout, stderr } = spawnSync(biome, ['format', `--stdin-file-path=${path}`], {
    cwd: ROOT,
    input: text,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`biome does not format ${path}: ${stderr}`)
  return stdout
}
