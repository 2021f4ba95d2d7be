import { expect, test } from 'vitest'
import { runVectors } from '../../tools/run-vectors.ts'
import { readVectorFiles } from '../../tools/vector-files.ts'

const files = [...(await readVectorFiles()).values()]
const count = files.reduce((sum, { vectors }) => sum + vectors.length, 0)

test('the verifier answers every published vector as it says: verdict, reason and report', async () => {
  expect(count).toBeGreaterThan(300)
  expect(await runVectors(...files)).toEqual({ passed: count, failed: [] })
})

test('a vector that comes out otherwise is named', async () => {
  const [file] = files
  const [first] = file?.vectors ?? []
  if (file === undefined || first === undefined) expect.unreachable()
  const wrong = { ...first, expected: { verdict: 'reject', reason: 'token_expired' } } as const
  const { passed, failed } = await runVectors({ ...file, vectors: [wrong] })
  expect(passed).toBe(0)
  expect(failed).toHaveLength(1)
  expect(failed[0]).toContain(first.id)
})
