/** Random verbs of a task store, few names of each kind, so that they meet. */
import fc from 'fast-check'
import type { RevocationScope } from '../../server/use-cases/ports.ts'

export const AGENTS = ['planner', 'coder', 'plan']
export const SUBJECTS = ['alice', 'bob']
const TYPES = ['reconcile', 'review']
export const TXNS = ['t1', 't2']
export const LISTS = ['g1-1', 'g1-2']
const agent = fc.constantFrom(...AGENTS)
const txn = fc.constantFrom(...TXNS)
const hop = fc.nat(6)
/** Counted from the last one made: the first would end all there is. */
const newest = fc.nat(3)
const scope: fc.Arbitrary<RevocationScope> = fc.oneof(
  fc.record({ kind: fc.constant('agent' as const), id: agent }),
  fc.record({ kind: fc.constant('subject' as const), id: fc.constantFrom(...SUBJECTS) }),
  fc.record({ kind: fc.constant('task_type' as const), id: fc.constantFrom(...TYPES) }),
)
export const command = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      verb: fc.constant('open' as const),
      txn,
      opener: agent,
      subject: fc.constantFrom(...SUBJECTS),
      type: fc.constantFrom(...TYPES),
      list: fc.constantFrom(...LISTS),
      token: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      verb: fc.constant('record' as const),
      txn,
      parent: hop,
      /** Whom it is handed to; undefined: its holder asks again. */
      to: fc.option(agent, { nil: undefined }),
      limit: fc.constantFrom(2, 5, 100),
    }),
  },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('revokeHop' as const), txn, newest }) },
  {
    weight: 2,
    arbitrary: fc.record({
      verb: fc.constant('revokePlace' as const),
      txn,
      newest,
      cut: fc.nat(1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      verb: fc.constant('end' as const),
      txn,
      state: fc.constantFrom('closed' as const, 'revoked' as const, 'suspended' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('resume' as const), txn }) },
  {
    weight: 1,
    arbitrary: fc.record({
      verb: fc.constant('revokeIn' as const),
      txn,
      scope,
      before: fc.nat(20),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      verb: fc.constant('wait' as const),
      seconds: fc.integer({ min: 1, max: 12 }),
    }),
  },
)
export type Command = typeof command extends fc.Arbitrary<infer Made> ? Made : never

/** Without a task there is little to do. */
export const BEGIN: Command = {
  verb: 'open',
  txn: 't1',
  opener: 'planner',
  subject: 'alice',
  type: 'reconcile',
  list: 'g1-1',
  token: 'a',
}
