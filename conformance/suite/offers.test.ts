/** What the server says that it offers: the checks of other features are left out. */
import { expect, test } from 'vitest'
import { FEATURES, type Feature } from '../features.ts'
import { isOffered, metadata } from './documents.ts'
import { given } from './given.ts'

declare module 'vitest' {
  export interface TaskMeta {
    offers?: Readonly<Record<string, boolean>>
  }
}

test('the server has metadata, or the profile says what it has', ({ task }) => {
  const names = Object.keys(FEATURES) as Feature[]
  task.meta.offers = Object.fromEntries(names.map((name) => [name, isOffered(name)]))
  expect(metadata['token_endpoint'] ?? given.endpoints?.token).toEqual(expect.any(String))
})
