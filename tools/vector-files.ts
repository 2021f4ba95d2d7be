/** The published vectors, from the disk. */
import { readdir, readFile } from 'node:fs/promises'
import type { VectorFile } from '../conformance/vectors/vector.ts'

const FOLDER = new URL('../conformance/vectors/', import.meta.url)
/** What else is JSON there. */
const OTHERS: ReadonlySet<string> = new Set(['keys.json', 'schema.json'])

/** Names of the files, in order. */
export async function vectorFileNames(): Promise<readonly string[]> {
  const names = await readdir(FOLDER)
  return names.filter((name) => name.endsWith('.json') && !OTHERS.has(name)).toSorted()
}

/** The files by name. */
export async function readVectorFiles(): Promise<ReadonlyMap<string, VectorFile>> {
  const names = await vectorFileNames()
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, FOLDER), 'utf8')))
  return new Map(names.map((name, at) => [name, JSON.parse(texts[at] ?? '') as VectorFile]))
}
