/** The files of vectors that stand here, by name. */
import { readdirSync, readFileSync } from 'node:fs'
import { type Case, caseOf, type Vector, type VectorFile } from './vector.ts'

/** What else is JSON here. */
const OTHERS = ['keys.json', 'schema.json']

export function readVectorFiles(): ReadonlyMap<string, VectorFile> {
  const names = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.json') && !OTHERS.includes(name))
    .toSorted()
  return new Map(names.map((name) => [name, readJson(name) as VectorFile]))
}

/** Any JSON of this folder. */
export function readJson(name: string): unknown {
  return JSON.parse(readFileSync(`${import.meta.dirname}/${name}`, 'utf8'))
}

export interface Given {
  readonly vector: Vector
  readonly case: Case
}

/** Every vector of every file. */
export function readVectors(): readonly Given[] {
  return [...readVectorFiles().values()].flatMap((file) =>
    file.vectors.map((vector) => ({ vector, case: caseOf(file, vector) })),
  )
}
