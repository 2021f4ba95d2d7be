/** Which requirements the tests of the suite cite, read from their sources. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Citation {
  readonly id: string
  readonly file: string
}

/** `verifies`, and what a file builds on it: `verifiesRefusal`. */
const CALL = /\bverifies\w*\(\s*(?:'([^']+)'|\[([^\]]*)\])/g

export function citations(
  folder: string = join(import.meta.dirname, 'suite'),
): readonly Citation[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .flatMap((file) => citationsIn(file, readFileSync(join(folder, file), 'utf8')))
}

export function citationsIn(file: string, text: string): readonly Citation[] {
  return [...text.matchAll(CALL)].flatMap(([, one, several]) => {
    const ids =
      one === undefined ? [...(several ?? '').matchAll(/'([^']+)'/g)].map(([, id]) => id) : [one]
    return ids.map((id) => ({ id: id ?? '', file }))
  })
}
