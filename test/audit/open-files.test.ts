/** How many files are open: never more than may be, and each of them only as long as it is worth it. */
import { expect, test } from 'vitest'
import type { AppendFile } from '../../server/audit/append-file.ts'
import { OpenFiles } from '../../server/audit/open-files.ts'

const MOST = 3

class CountedOpens {
  readonly opened: string[] = []
  readonly #open = new Set<string>()
  most = 0

  get open(): readonly string[] {
    return [...this.#open].sort()
  }

  async openFile(path: string): Promise<AppendFile> {
    expect(this.#open.has(path)).toBe(false)
    this.opened.push(path)
    this.#open.add(path)
    this.most = Math.max(this.most, this.#open.size)
    return {
      append: async (bytes) => bytes.length,
      close: async () => void this.#open.delete(path),
    }
  }
}

function aPool(): { readonly files: OpenFiles; readonly counted: CountedOpens } {
  const counted = new CountedOpens()
  const openFile = (path: string) => counted.openFile(path)
  return { files: new OpenFiles({ openFile, mostOpen: MOST }), counted }
}

const nothing = async (): Promise<void> => {}

test('a file stays open, and the one longest idle gives its place to another', async () => {
  const { files, counted } = aPool()
  for (const path of ['a', 'b', 'c', 'a', 'd', 'a', 'b']) await files.use(path, nothing)
  expect(counted.opened).toEqual(['a', 'b', 'c', 'd', 'b'])
  expect(counted.open).toEqual(['a', 'b', 'd'])
  await files.close()
  expect(counted.open).toEqual([])
})

test('none that is in use is closed: who comes too many waits', async () => {
  const { files, counted } = aPool()
  const done = Promise.withResolvers<void>()
  const paths = Array.from({ length: 50 }, (_, each) => `log-${each}`)
  let used = 0
  const all = paths.map((path) =>
    files.use(path, async () => {
      await done.promise
      expect(counted.open).toContain(path)
      used += 1
    }),
  )
  await new Promise((resolve) => setImmediate(resolve))
  expect(counted.open).toHaveLength(MOST)
  done.resolve()
  await Promise.all(all)
  expect([used, counted.most]).toEqual([50, MOST])
})

test('one whose work failed is closed, and opened anew', async () => {
  const { files, counted } = aPool()
  const failing = files.use('a', () => Promise.reject(new Error('no space')))
  await expect(failing).rejects.toThrow('no space')
  expect(counted.open).toEqual([])
  await files.use('a', nothing)
  expect(counted.opened).toEqual(['a', 'a'])
})
