/** Secrets of others at rest: opened where they were sealed, under the secret they were sealed with, and nowhere else. */
import { expect, test } from 'vitest'
import { createTextSeal } from '../../keys/text-seal.ts'

const seal = createTextSeal('a secret of this run and of no other one')

test('opens what it sealed, and seals no two alike', () => {
  for (const text of ['Bearer abc', '', 'é\u{1f600}', 'x'.repeat(4000)]) {
    const sealed = seal.seal('here', text)
    expect(sealed).not.toContain('Bearer')
    expect(seal.seal('here', text)).not.toBe(sealed)
    expect(seal.open('here', sealed)).toBe(text)
  }
})

test('nothing that was altered, cut, moved, or sealed under another secret', () => {
  const sealed = seal.seal('here', 'Bearer abc')
  const bytes = Buffer.from(sealed, 'base64url')
  for (let at = 0; at < bytes.length; at += 1) {
    const altered = Buffer.from(bytes)
    altered[at] = (altered[at] ?? 0) ^ 1
    expect(seal.open('here', altered.toString('base64url'))).toBeUndefined()
    expect(seal.open('here', bytes.subarray(0, at).toString('base64url'))).toBeUndefined()
  }
  expect(seal.open('there', sealed)).toBeUndefined()
  expect(createTextSeal('another secret').open('here', sealed)).toBeUndefined()
})
