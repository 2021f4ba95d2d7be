/** Which key signs when, which are published, and what rotation and kill leave (attack cases K03, K04). Times are small numbers. */
import { describe, expect, test } from 'vitest'
import {
  type KeyRecord,
  keysAt,
  MOST_PUBLISHED,
  NO_KEYS,
  PUBLISHED_AFTER,
  planRotation,
  type SigningKeys,
  withKey,
  withoutKilled,
  withoutNext,
} from '../../server/core/key-plan.ts'
import { aSigningKey } from '../store/records.ts'

const key = (number: number, from: number): KeyRecord => aSigningKey({ number, from })
const keys = (...records: readonly KeyRecord[]): SigningKeys => ({ ...NO_KEYS, keys: records })
const END = 1000 + PUBLISHED_AFTER
const two = keys(key(1, 0), key(2, 1000))

/** `2 active, 1 retired until 9` as one text. */
function shown(signing: SigningKeys, now: number): string | undefined {
  const published = keysAt(signing, now)?.published
  return published
    ?.map(({ number, state, publishedUntil }) => {
      const until = publishedUntil === undefined ? '' : ` until ${publishedUntil}`
      return `${number} ${state}${until}`
    })
    .join(', ')
}

describe('at a given second', () => {
  test.each<[string, SigningKeys, number, string | undefined]>([
    ['without a key', NO_KEYS, 5, undefined],
    ['the only key', keys(key(1, 0)), 5, '1 active'],
    ['a clock before the first key', keys(key(1, 100)), 5, '1 active'],
    ['the next one is published long before it signs', two, 0, `1 active until ${END}, 2 next`],
    ['until the second before', two, 999.999, `1 active until ${END}, 2 next`],
    ['it signs from its second on', two, 1000, `2 active, 1 retired until ${END}`],
    ['the one before stays', two, END - 0.001, `2 active, 1 retired until ${END}`],
    ['until the last token it signed has ended', two, END, '2 active'],
    ['a clock set back signs with the one of then', two, 999, `1 active until ${END}, 2 next`],
    [
      'several that retired, the newest first',
      keys(key(1, 0), key(2, 1000), key(3, 2000), key(4, 3000)),
      2500,
      `3 active until ${3000 + PUBLISHED_AFTER}, 4 next, 2 retired until ${2000 + PUBLISHED_AFTER}, 1 retired until ${END}`,
    ],
  ])('%s', (_name, signing, now, expected) => {
    expect(shown(signing, now)).toBe(expected)
  })

  test.each([
    [0, -Infinity, 1000],
    [999, -Infinity, 1000],
    [1000, 1000, END],
    [END, END, Infinity],
  ])('at %d nothing changes from %d until %d', (now, since, until) => {
    expect(keysAt(two, now)).toMatchObject({ since, until })
  })

  test('what nobody needs any more is named, to be destroyed', () => {
    expect(keysAt(two, END - 1)?.over).toEqual([])
    expect(keysAt(two, END)?.over.map(({ number }) => number)).toEqual([1])
  })

  test('K03 no key leaves before the longest task begun under it could end', () => {
    expect(PUBLISHED_AFTER).toBeGreaterThanOrEqual(8 * 3600 + 65)
  })
})

describe('a rotation', () => {
  const at = { now: 100.5, cachePeriod: 600 }

  test('K03 is planned two cache periods ahead, counted from the second that is over', () => {
    expect(planRotation(keys(key(1, 0)), at)).toEqual({ kind: 'planned', from: 101 + 1200 })
  })

  test('of a tenant without keys is its first one, which signs at once', () => {
    expect(planRotation(NO_KEYS, at)).toEqual({ kind: 'planned', from: 100 })
  })

  test('is not planned twice', () => {
    expect(planRotation(two, at)).toMatchObject({ kind: 'waiting', next: key(2, 1000) })
    expect(planRotation(two, { ...at, now: 1000 })).toMatchObject({ kind: 'planned' })
  })

  test('waits where verifiers would take no key set as large', () => {
    const many = keys(
      ...Array.from({ length: MOST_PUBLISHED }, (_, each) => key(each + 1, each * 10)),
    )
    const now = 10 * MOST_PUBLISHED
    const until = 10 + PUBLISHED_AFTER
    expect(planRotation(many, { now, cachePeriod: 1 })).toEqual({ kind: 'full', until })
    expect(planRotation(many, { now: until, cachePeriod: 1 }).kind).toBe('planned')
  })

  test('adds a key, and leaves out those that are over', () => {
    const numbers = (now: number) =>
      withKey(two, key(3, now + 20), now).keys.map((one) => one.number)
    expect(numbers(END - 1)).toEqual([1, 2, 3])
    expect(numbers(END)).toEqual([2, 3])
  })

  test('that was planned can be taken back while it waits, and no later', () => {
    expect(withoutNext(two, 999)).toEqual(keys(key(1, 0)))
    expect(withoutNext(two, 1000)).toEqual(two)
  })
})

describe('K04 a kill', () => {
  const heir = key(9, 0)
  const three = keys(key(1, 0), key(2, 1000), key(3, 2000))
  const kill = (kid: string, now: number, spare?: KeyRecord) =>
    withoutKilled(three, kid, { now, heir: spare })

  test.each([
    { of: 'a retired key', kid: 'key-1', now: 1500, left: [key(2, 1000), key(3, 2000)] },
    { of: 'the next key', kid: 'key-3', now: 1500, left: [key(1, 0), key(2, 1000)] },
    { of: 'the one in use', kid: 'key-2', now: 1500.5, left: [key(1, 0), key(3, 1500)] },
    {
      of: 'that, with a spare',
      kid: 'key-2',
      now: 1500,
      spare: heir,
      left: [key(1, 0), key(3, 1500)],
    },
    {
      of: 'the one in use, where none waits',
      kid: 'key-3',
      now: 2500.5,
      spare: heir,
      left: [key(1, 0), key(2, 1000), key(9, 2500)],
    },
  ])('of $of', ({ kid, now, spare, left }) => {
    const after = kill(kid, now, spare)
    const number = Number(kid.at(-1))
    expect(after).toEqual({ ...keys(...left), killed: [{ number, kid, keeper: 'sealed' }] })
    if (typeof after === 'string') return
    const signing = keysAt(after, now)
    expect(signing?.active.from).toBeLessThanOrEqual(now)
    expect(signing?.published.map((one) => one.kid)).not.toContain(kid)
  })

  test('of the key in use needs another one first', () => {
    expect(kill('key-3', 2500)).toBe('heir_needed')
  })

  test.each([
    ['no key', 'key-7', 1500],
    ['one that left the key set', 'key-1', END],
  ])('of %s is none', (_name, kid, now) => {
    expect(kill(kid, now, heir)).toBe('unknown')
  })

  test('of a key that was killed is none', () => {
    const after = kill('key-1', 1500)
    if (typeof after === 'string') throw new Error(after)
    expect(withoutKilled(after, 'key-1', { now: 1500, heir })).toBe('unknown')
  })
})
