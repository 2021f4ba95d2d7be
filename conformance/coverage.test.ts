/** Every requirement is answered for: by a test that cites it, or by a reason why there is none. */
import { describe, expect, test } from 'vitest'
import { citations, citationsIn } from './citations.ts'
import { REQUIREMENTS } from './requirements.ts'

const cited = new Set(citations().map(({ id }) => id))
const all = Object.entries(REQUIREMENTS)

describe('the manifest and the tests', () => {
  test('the reader of citations sees them', () => {
    expect(all.length).toBeGreaterThan(200)
    expect(cited.size).toBeGreaterThan(150)
    const text = `CITES('x-1', 't', f)\n  CITES([\n'x-2', 'x-3'], 't', f)`
    const found = citationsIn('a', text.replaceAll('CITES', 'verifies'))
    expect(found).toEqual(['x-1', 'x-2', 'x-3'].map((id) => ({ id, file: 'a' })))
  })

  test('every requirement has a test or a reason', () => {
    const open = all.filter(([id, { gap }]) => gap === undefined && !cited.has(id))
    expect(open.map(([id]) => id)).toEqual([])
  })

  test('no test cites a requirement that is not there', () => {
    expect([...cited].filter((id) => !Object.hasOwn(REQUIREMENTS, id))).toEqual([])
  })

  test('no reason is stale', () => {
    const stale = all.filter(([id, { gap }]) => gap !== undefined && cited.has(id))
    expect(stale.map(([id]) => id)).toEqual([])
  })
})
