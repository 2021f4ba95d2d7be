import { expect, test } from 'vitest'
import file from '../../conformance/vectors/verifier.json' with { type: 'json' }
import { VERIFICATION_REASONS, type VerificationReason } from '../../lib/src/errors.ts'
import { runVectors, type VectorFile } from '../../tools/run-vectors.ts'

const vectors = file as VectorFile

test('every published vector comes out as it says', async () => {
  expect(vectors.vectors.length).toBeGreaterThan(150)
  expect(await runVectors(vectors)).toEqual({ passed: vectors.vectors.length, failed: [] })
})

test('a vector that comes out otherwise is named', async () => {
  const [first] = vectors.vectors
  const wrong = { ...first, expected: { outcome: 'reject', reason: 'token_expired' } }
  const results = await runVectors({ ...vectors, vectors: [wrong as never] })
  expect(results).toEqual({ passed: 0, failed: ['1 hops: accept instead of token_expired'] })
})

test('vectors state the status of the reasons they name', () => {
  for (const { expected } of vectors.vectors)
    if (expected.reason !== undefined)
      expect(VERIFICATION_REASONS[expected.reason as VerificationReason].status).toBe(
        expected.status,
      )
})
