import { expect, test } from 'vitest'
import { caseOf } from '../vectors/vector.ts'
import { type Given, readVectorFiles, readVectors } from '../vectors/vector-files.ts'
import { readCase } from './reader.ts'

const vectors = readVectors()

/** What the reader says otherwise than the vector, in one line. */
function difference({ vector, case: given }: Given): string | undefined {
  const read = readCase(given)
  const { verdict, reason = '', or = [], report } = vector.expected
  const got = read.verdict === 'accept' ? 'accept' : read.reason
  const isFine = read.verdict === 'accept' ? verdict === 'accept' : [reason, ...or].includes(got)
  if (!isFine) return `${vector.id} (${vector.title}): ${got}`
  if (read.verdict === 'accept') expect([vector.id, read.report]).toEqual([vector.id, report])
  return undefined
}

test('the reader answers every vector as it says: verdict, report, and a reason that is true', () => {
  expect(vectors.length).toBeGreaterThan(1000)
  expect(vectors.map(difference).filter((line) => line !== undefined)).toEqual([])
})

test('a vector that says something else is noticed', () => {
  const [first] = vectors
  if (first === undefined) expect.unreachable()
  const expected = { verdict: 'reject', reason: 'token_expired', status: 401 } as const
  expect(difference({ ...first, vector: { ...first.vector, expected } })).toContain(first.vector.id)
})

test('whatever stands in the place of a token or a proof, there is an answer', () => {
  const file = readVectorFiles().get('chains.json')
  const [vector] = file?.vectors ?? []
  if (file === undefined || vector === undefined) expect.unreachable()
  const odd = [
    '',
    '.',
    '..',
    '...',
    'e30.e30.AA',
    '\ud800',
    '\u0000',
    'a'.repeat(100_000),
    '['.repeat(9),
  ]
  for (const text of odd) {
    expect(readCase(caseOf(file, { ...vector, token: text }))).toEqual({
      verdict: 'reject',
      reason: 'token_malformed',
    })
    const request = { ...vector.request, proof: text }
    expect(readCase(caseOf(file, { ...vector, request }))).toEqual({
      verdict: 'reject',
      reason: 'proof_malformed',
    })
  }
})
