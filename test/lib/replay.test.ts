/** A proof is used once in its time; what cannot be remembered is refused, and what was forgotten is not new. */
import { expect, test } from 'vitest'
import { ReplayFull, ReplayMemory } from '../../lib/src/replay.ts'

/** A memory for two, and a clock. */
function aMemory(capacity = 2) {
  const clock = { now: 1000 }
  const memory = new ReplayMemory(() => clock.now, capacity)
  const claim = (id: string, expiresAt: number) => memory.claim({ id, expiresAt })
  return { clock, claim }
}

test('a claim is the first once, and another’s is its own', async () => {
  const { claim } = aMemory()
  expect([await claim('a', 1060), await claim('a', 1060), await claim('b', 1060)]).toEqual([
    true,
    false,
    true,
  ])
})

test('a full memory refuses, and has room again once one has ended', async () => {
  const { clock, claim } = aMemory()
  await claim('a', 1010)
  await claim('b', 1020)
  await expect(claim('c', 1030)).rejects.toThrow(ReplayFull)
  expect(await claim('a', 1010)).toBe(false)
  clock.now = 1010
  expect(await claim('c', 1030)).toBe(true)
})

test('one that ended behind a longer one makes room too, looked for once a second', async () => {
  const { clock, claim } = aMemory()
  await claim('long', 1060)
  await claim('short', 1010)
  clock.now = 1009.5
  await expect(claim('c', 1050)).rejects.toThrow('too many proofs in use')
  clock.now = 1010.25
  await expect(claim('c', 1050)).rejects.toThrow(ReplayFull)
  clock.now = 1010.5
  expect(await claim('c', 1050)).toBe(true)
})

test('a clock that stepped back looks at once', async () => {
  const { clock, claim } = aMemory()
  await claim('long', 1060)
  await claim('short', 1010)
  clock.now = 1009
  await expect(claim('c', 1050)).rejects.toThrow(ReplayFull)
  clock.now = 1000
  await expect(claim('c', 1050)).rejects.toThrow(ReplayFull)
  clock.now = 1010
  expect(await claim('c', 1050)).toBe(true)
})

test('K07 what was forgotten is not new to a clock that stepped back', async () => {
  const { clock, claim } = aMemory()
  await claim('a', 1010)
  clock.now = 1010
  expect(await claim('b', 1070)).toBe(true)
  clock.now = 1000
  expect(await claim('a', 1010)).toBe(false)
  expect(await claim('c', 1011)).toBe(true)
})
