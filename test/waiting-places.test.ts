/** Requests that wait: so many, one for each name, and none after the end. */
import { expect, test } from 'vitest'
import { createWaitingPlaces } from '../server/waiting-places.ts'

test('a place is one’s at a time, and there are only so many', () => {
  const places = createWaitingPlaces(2)
  const leave = places.take('a')
  expect(places.take('a')).toBeUndefined()
  expect(places.take('b')).toBeTypeOf('function')
  expect(places.take('c')).toBeUndefined()
  leave?.()
  expect(places.take('c')).toBeTypeOf('function')
})

test('closing ends every pause at once, and there is no place after it', async () => {
  const places = createWaitingPlaces()
  expect(await places.pause(1)).toBe(true)
  const waiting = Promise.all([places.pause(600_000), places.pause(600_000)])
  places.close()
  expect(await waiting).toEqual([false, false])
  expect(await places.pause(600_000)).toBe(false)
  expect(places.take('a')).toBeUndefined()
})
