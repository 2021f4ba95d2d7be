import { expect, test } from 'vitest'
import { Random } from './random.ts'

const draw = (seed: number, place?: number): readonly number[] => {
  const random = new Random(seed, place)
  return Array.from({ length: 8 }, () => random.bits())
}

test('the same seed and place give the same numbers, others give others', () => {
  expect(draw(7, 3)).toEqual(draw(7, 3))
  expect(draw(7, 3)).not.toEqual(draw(7, 4))
  expect(draw(7, 3)).not.toEqual(draw(8, 3))
})

test('numbers of neighbouring places have nothing in common', () => {
  const first = Array.from({ length: 2_000 }, (_, place) => draw(1, place)[0] ?? 0)
  expect(new Set(first).size).toBe(2_000)
  const mean = first.reduce((sum, value) => sum + value / 2 ** 32, 0) / first.length
  expect(mean).toBeGreaterThan(0.45)
  expect(mean).toBeLessThan(0.55)
})

test('below stays below, and every number comes', () => {
  const random = new Random(1)
  const seen = new Set(Array.from({ length: 500 }, () => random.below(7)))
  expect([...seen].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6])
})

test('weights are kept to', () => {
  const random = new Random(2)
  const list = [
    { name: 'rare', weight: 1 },
    { name: 'never', weight: 0 },
    { name: 'often', weight: 9 },
  ]
  const drawn = Array.from({ length: 2_000 }, () => random.pickWeighted(list).name)
  expect(drawn).not.toContain('never')
  const rare = drawn.filter((name) => name === 'rare').length
  expect(rare).toBeGreaterThan(120)
  expect(rare).toBeLessThan(280)
})
