/** Libraries of other languages as clients of three hops, each in a program of its own. */
import { describe, expect, test } from 'vitest'
import { entriesFor, expectChain, target } from '../given.ts'
import { findProgram, PROGRAMS, walkWith } from './programs.ts'

const found = await Promise.all(
  PROGRAMS.map(async (program) => ({ program, by: await findProgram(program) })),
)

describe.concurrent('a client that is a program', () => {
  for (const { program, by } of found) {
    const { name, team, needs, readsReason } = program
    const title = `${name} walks three hops and reads the refusal of a wider scope`
    if (by === undefined) {
      test.skip(`${title} (${needs} is not installed)`, () => undefined)
      continue
    }
    // A first run of Go compiles its standard library.
    test(title, { timeout: 300_000 }, async () => {
      const { tokens, api, refusal } = await walkWith(by, program)
      expectChain(tokens, team, target.apis.ledger)
      expect(api).toEqual(entriesFor(team))
      const { error, description = refusal['error_description'], reason } = refusal
      expect({ error, description, reason }).toEqual({
        error: 'invalid_scope',
        description: 'a requested scope is beyond what may be granted here',
        reason: readsReason ? 'scope_not_permitted' : undefined,
      })
    })
  }
})
