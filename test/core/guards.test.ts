/** The guards are told by name and in words: to the record, and to whoever asks for an explanation. */
import { expect, test } from 'vitest'
import { HOP_GUARDS, SCOPE_GUARDS } from '../../server/core/guards.ts'
import { REASONS } from '../../server/core/refusal.ts'

const GUARDS = [...HOP_GUARDS, ...SCOPE_GUARDS]

test('each has a name of its own, and words for what is the case where it holds', () => {
  expect(new Set(GUARDS.map(({ name }) => name)).size).toBe(11)
  expect(new Set(GUARDS.map(({ text }) => text)).size).toBe(11)
  for (const { text } of GUARDS) expect(text).toMatch(/^the [a-z ,]+$/)
})

test('each refuses for a reason of the closed list, and a scope’s for one reason', () => {
  for (const { reason } of GUARDS) expect(REASONS).toHaveProperty(reason)
  expect(new Set(SCOPE_GUARDS.map(({ reason }) => reason))).toEqual(
    new Set(['scope_not_permitted']),
  )
})
