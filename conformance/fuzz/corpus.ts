/**
 * Inputs that are kept: each reached something that no other one did, or was a fault once. Small JSON files, one an input, replayed
 * before anything new is tried.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The one in the repository. */
export const CORPUS = join(import.meta.dirname, 'corpus')
/** Of all areas together: a corpus is read at every run, and reviewed by people. */
const MOST_BYTES = 300_000

export interface Kept<Input> {
  readonly file: string
  readonly input: Input
  /** What it came to when it was kept, and has to come to again. */
  readonly outcome: string
}

/** Every kept input of an area, in the order of file names; none where there is no folder. */
export function readCorpus<Input>(folder: string, area: string): readonly Kept<Input>[] {
  const place = join(folder, area)
  return filesOf(place).map((file) => {
    const kept = JSON.parse(readFileSync(join(place, file), 'utf8')) as Omit<Kept<Input>, 'file'>
    return { ...kept, file: join(area, file) }
  })
}

/** Writes an input under a name that follows from it. Returns the path, or undefined where the corpus is full. */
export function keepInput(
  folder: string,
  area: string,
  kept: { readonly name: string; readonly outcome: string; readonly input: unknown },
): string | undefined {
  const text = `${JSON.stringify({ outcome: kept.outcome, input: kept.input }, undefined, 1)}\n`
  const isFault = kept.outcome.startsWith('fault')
  // A fault is kept whatever it weighs.
  if (!isFault && bytesOf(folder) + text.length > MOST_BYTES) return undefined
  const place = join(folder, area)
  mkdirSync(place, { recursive: true })
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 8)
  const path = join(place, `${kept.name.replaceAll(/[^\w-]+/g, '-').slice(0, 60)}-${digest}.json`)
  writeFileSync(path, text)
  return path
}

export function bytesOf(folder: string): number {
  const areas = readFolder(folder)
  return areas
    .flatMap((area) =>
      filesOf(join(folder, area)).map((file) => statSync(join(folder, area, file)).size),
    )
    .reduce((sum, size) => sum + size, 0)
}

function filesOf(place: string): readonly string[] {
  return readFolder(place)
    .filter((file) => file.endsWith('.json'))
    .toSorted()
}

function readFolder(place: string): readonly string[] {
  try {
    return readdirSync(place)
  } catch {
    return []
  }
}
