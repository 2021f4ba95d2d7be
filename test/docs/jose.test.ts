/** docs/jose.md shows the differences from Wycheproof as the tests have them. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { DIFFERENCES } from '../jose/wycheproof-differences.ts'

test('the table has every difference with its reason, and no other', async () => {
  const text = await readFile(new URL('../../docs/jose.md', import.meta.url), 'utf8')
  const rows = text.split('\n').filter((line) => line.startsWith('| '))
  const cells = rows.map((row) =>
    row
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  )
  const from = cells.findIndex(([first]) => first === 'refused though valid')
  expect(cells.slice(from + 2, from + 2 + DIFFERENCES.length + 1)).toEqual(
    DIFFERENCES.map(({ title, reason, only = 'both' }) => [title, only, reason]),
  )
})
