/**
 * What tests import as `vitest` while mutants are run: the real `expect` and `vi`, and collectors that hand each test to the
 * runner of this process. A test file that is loaded again, from a fresh copy of the tree’s modules, is collected again.
 */
import { expect as realExpect } from 'vitest'

export { vi } from 'vitest'

export interface CollectedTest {
  readonly name: string
  readonly run: () => Promise<void>
}

export interface CollectedFile {
  /** What the file wants done before its first test. */
  readonly prepare: () => Promise<void>
  readonly tests: readonly CollectedTest[]
}

type Body = (...row: readonly unknown[]) => unknown
type Row = readonly unknown[]

let tests: CollectedTest[] = []
let hooks: Body[] = []
let path: readonly string[] = []

/** Runs `load`, which imports one test file; resolves to what is in it, its tests in order. */
export async function collect(load: () => Promise<unknown>): Promise<CollectedFile> {
  tests = []
  hooks = []
  path = []
  await load()
  const before = hooks
  const prepare = async () => {
    for (const hook of before) await hook()
  }
  return { prepare, tests }
}

export const beforeAll = (body: Body): void => void hooks.push(body)

export const test = Object.assign(
  (name: string, body: Body) => add(name, async () => void (await body())),
  {
    each: (rows: Iterable<unknown>) => (name: string, body: Body) =>
      eachOf(rows, (row, at) => add(`${name} [${at}]`, async () => void (await body(...row)))),
  },
)

export const describe = Object.assign((name: string, body: Body) => within(name, () => body()), {
  each: (rows: Iterable<unknown>) => (name: string, body: Body) =>
    eachOf(rows, (row, at) => within(`${name} [${at}]`, () => body(...row))),
})

/** Soft failures are told together at the end of a test; here the first one ends it. */
export const expect = Object.assign(
  (...given: Parameters<typeof realExpect>) => realExpect(...given),
  realExpect,
  { soft: realExpect },
)

function add(name: string, run: () => Promise<void>): void {
  tests.push({ name: [...path, name].join(' > '), run })
}

function within(name: string, body: () => unknown): void {
  const outer = path
  path = [...outer, name]
  body()
  path = outer
}

function eachOf(rows: Iterable<unknown>, take: (row: Row, at: number) => void): void {
  const all = [...rows]
  // Rows are argument lists where all of them are lists.
  const isTable = all.every((row) => Array.isArray(row))
  for (const [at, row] of all.entries()) take(isTable ? (row as Row) : [row], at)
}
