/** docs/jose.md shows the differences from Wycheproof as the tests have them. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { DIFFERENCES } from '../jose/wycheproof-differences.ts'

test('the table has every difference with its reason, and no other', async () => {
  const text = await readFile(new URL('../../docs/jose.md', import.meta.url), 'utf8')
  const [, table = ''] = text.split('| refused though valid | by | why |\n| --- | --- | --- |\n')
  const [lines = ''] = table.split('\n\n')
  expect(lines.split('\n')).toEqual(
    DIFFERENCES.map(({ title, reason, only = 'both' }) => `| ${title} | ${only} | ${reason} |`),
  )
})
