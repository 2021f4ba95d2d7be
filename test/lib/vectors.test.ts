import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { readVectorFiles } from '../../conformance/vectors/vector-files.ts'
import { VERIFICATION_REASONS, type VerificationReason } from '../../lib/src/errors.ts'
import { runVectors } from '../../tools/run-vectors.ts'
import { signEcdsa } from '../support/vectors/ecdsa.ts'
import { writtenTheme } from '../support/vectors/theme.ts'
import { allThemes } from '../support/vectors/themes.ts'

const files = readVectorFiles()
const vectors = [...files.values()].flatMap((file) => file.vectors)

test('the verifier answers every published vector as it says: verdict, reason and report', async () => {
  expect(vectors.length).toBeGreaterThan(1000)
  expect(await runVectors('exact', ...files.values())).toEqual({
    passed: vectors.length,
    failed: [],
  })
})

test('a vector that comes out otherwise is named', async () => {
  const [file] = files.values()
  const [first] = vectors
  if (file === undefined || first === undefined) expect.unreachable()
  const wrong = { ...first, expected: { verdict: 'reject', reason: 'token_expired' } } as const
  const { passed, failed } = await runVectors('any', { ...file, vectors: [wrong] })
  expect(passed).toBe(0)
  expect(failed).toHaveLength(1)
  expect(failed[0]).toContain(first.id)
})

test('vectors state the status of the reasons they name', () => {
  const wrong = vectors.filter(
    ({ expected: { reason, status } }) =>
      reason !== undefined && VERIFICATION_REASONS[reason as VerificationReason].status !== status,
  )
  expect(wrong.map(({ id }) => id)).toEqual([])
})

test('the files are what their sources make, byte for byte', async () => {
  const themes = allThemes()
  expect(themes.map(({ name }) => `${name}.json`).toSorted()).toEqual([...files.keys()])
  for (const theme of themes) {
    const at = new URL(`../../conformance/vectors/${theme.name}.json`, import.meta.url)
    // Not compared by `expect`: a difference of half a megabyte helps nobody.
    if (writtenTheme(theme) !== (await readFile(at, 'utf8')))
      expect.unreachable(`${theme.name}.json: run test/support/write-vectors.ts`)
  }
})

test.each([
  [
    'ES256',
    'C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721',
    'EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8',
  ],
])('RFC 6979 A.2: %s of "sample"', (alg, secret, signature) => {
  const made = signEcdsa(alg, Buffer.from(secret, 'hex'), 'sample')
  expect(made?.toString('hex').toUpperCase()).toBe(signature)
})
