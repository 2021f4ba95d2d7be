import { describe, expect, test } from 'vitest'
import { FetchFault } from '../../server/fetch/fetch-fault.ts'
import {
  createKeptSource,
  FETCH_PACE,
  FILE_PACE,
  type Pace,
} from '../../server/fetch/kept-source.ts'

type Document = { readonly content: string; readonly hint?: number }

/** A source whose reader gives what the test says, and counts. */
function aSource(pace: Pace = FETCH_PACE) {
  const stage = {
    now: 1_795_316_400,
    next: { content: 'a' } as Document | FetchFault | Error,
    reads: 0,
    lasts: [] as unknown[],
    faults: [] as string[],
  }
  const source = createKeptSource<Document>({
    read: async (last) => {
      stage.reads += 1
      stage.lasts.push(last?.content)
      if (stage.next instanceof Error) throw stage.next
      return structuredClone(stage.next)
    },
    now: () => stage.now,
    pace,
    freshFor: ({ hint = pace.fresh }) => hint,
    onFault: (code) => stage.faults.push(code),
  })
  return { source, stage }
}

const contentOf = async (work: Promise<Document>) => (await work).content

describe('how often it is read', () => {
  test('once while it is fresh', async () => {
    const { source, stage } = aSource()

    expect(await contentOf(source.current())).toBe('a')
    stage.now += 299
    await source.current()
    expect(stage.reads).toBe(1)

    stage.now += 1
    stage.next = { content: 'b' }
    expect(await contentOf(source.current())).toBe('b')
    expect(stage.reads).toBe(2)
  })

  test('once for any number of callers at a time', async () => {
    const { source, stage } = aSource()
    const current = async () => source.current()
    const again = async () => source.again()
    const all = await Promise.all([current(), again(), current(), again()].map(contentOf))
    expect(all).toEqual(['a', 'a', 'a', 'a'])
    expect(stage.reads).toBe(1)
  })

  test('K05: what is not in it makes one look in 30 seconds, and something new is found', async () => {
    const { source, stage } = aSource()
    await source.current()
    stage.next = { content: 'b' }

    stage.now += 29
    for (let flood = 0; flood < 20; flood += 1) expect(await contentOf(source.again())).toBe('a')
    expect(stage.reads).toBe(1)

    stage.now += 1
    for (let flood = 0; flood < 20; flood += 1) expect(await contentOf(source.again())).toBe('b')
    expect(stage.reads).toBe(2)
  })

  test('K02: what is down is not flooded, and is back as soon as it answers', async () => {
    const { source, stage } = aSource()
    stage.next = new FetchFault('timeout')
    for (let flood = 0; flood < 20; flood += 1) {
      await expect(source.current()).rejects.toMatchObject({ code: 'timeout' })
    }
    expect(stage.reads).toBe(1)

    stage.now += 5
    stage.next = { content: 'a' }
    expect(await contentOf(source.current())).toBe('a')
    expect(stage.reads).toBe(2)
  })

  test('as often as the document asks, however short that is', async () => {
    const { source, stage } = aSource()
    stage.next = { content: 'a', hint: 1 }
    await source.current()
    stage.now += 1
    stage.next = { content: 'b', hint: 600 }
    expect(await contentOf(source.current())).toBe('b')
    stage.now += 599
    await source.current()
    expect(stage.reads).toBe(2)
  })

  test('a file every two seconds', async () => {
    const { source, stage } = aSource(FILE_PACE)
    await source.current()
    stage.now += 1
    await source.current()
    await source.again()
    expect(stage.reads).toBe(1)
    stage.now += 1
    await source.current()
    expect(stage.reads).toBe(2)
  })
})

describe('K02: what is broken never replaces what was good', () => {
  test('the last good one counts for an hour after it was read, then there is none', async () => {
    const { source, stage } = aSource()
    await source.current()
    stage.next = new FetchFault('document_refused')

    stage.now += 3599
    expect(await contentOf(source.current())).toBe('a')
    expect(stage.faults).toEqual(['document_refused'])

    stage.now += 1
    await expect(source.current()).rejects.toMatchObject({ code: 'document_refused' })
    await expect(source.again()).rejects.toMatchObject({ code: 'document_refused' })

    stage.now += 30
    stage.next = { content: 'b' }
    expect(await contentOf(source.current())).toBe('b')
    // Nothing that no longer counts is compared with.
    expect(stage.lasts.at(-1)).toBeUndefined()
  })

  test('a fault of our own is thrown as it is, and not again to everybody for ever', async () => {
    const { source, stage } = aSource()
    stage.next = new TypeError('ours')
    await expect(source.current()).rejects.toThrow('ours')
    expect(stage.faults).toEqual([])
    stage.now += 5
    stage.next = { content: 'a' }
    expect(await contentOf(source.current())).toBe('a')
  })
})

test('it is the same object until its content changes', async () => {
  const { source, stage } = aSource()
  const first = await source.current()
  stage.now += 300
  expect(await source.current()).toBe(first)
  stage.now += 300
  stage.next = { content: 'b' }
  expect(await source.current()).not.toBe(first)
  expect(stage.reads).toBe(3)
})
