/**
 * Writes the vectors of conformance/vectors: tokens signed with published test keys, what a verifier is told about the
 * request, and what it has to answer. The same sources write the same files. Run by hand when the format or a theme grows:
 * node --conditions=actchain:source test/support/write-vectors.ts
 */
import { writeFile } from 'node:fs/promises'
import { writtenTheme } from './vectors/theme.ts'
import { allThemes } from './vectors/themes.ts'

const FOLDER = new URL('../../conformance/vectors/', import.meta.url)

for (const theme of allThemes()) {
  await writeFile(new URL(`${theme.name}.json`, FOLDER), writtenTheme(theme))
  process.stdout.write(`${theme.name}.json: ${theme.vectors.length} vectors\n`)
}
