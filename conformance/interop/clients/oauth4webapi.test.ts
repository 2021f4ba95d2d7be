import { expect, test } from 'vitest'
import { walkChain } from './chain.ts'
import { clientOf } from './oauth4webapi.ts'

test('oauth4webapi walks three hops and reads the refusal of a wider scope', async () => {
  expect(await walkChain('bound', clientOf)).toMatchObject({
    name: 'ResponseBodyError',
    status: 400,
    error: 'invalid_scope',
    cause: { reason: 'scope_not_permitted' },
  })
})
