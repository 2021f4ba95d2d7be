/** The delegation profile: what RFC 8693 leaves open and a server of delegation chains has to fix (docs/chain-format.md). */
import { row, table } from '../requirement.ts'

export const DELEGATION = table(
  'Delegation profile',
  { source: 'ours: docs/chain-format.md', feature: 'delegation' },
  {
    'PROF-01': row(
      'scope',
      'MUST',
      'Scope is within the parent, the agent and policy at every hop',
    ),
    'PROF-02': row('audience', 'MUST', 'Audiences are registered ones this client may call'),
    'PROF-03': row('way in', 'MUST', 'Holding a token is no right to exchange it'),
    'PROF-04': row('chain', 'MUST', 'Leaving the actor token out drops no actor'),
    'PROF-05': row('chain', 'MUST', 'The earlier chain is nested whole'),
    'PROF-06': row('actor', 'MUST', 'The actor token is the caller’s own'),
    'PROF-07': row('actor', 'MUST', 'An actor token with a chain is refused', { priority: 'P1' }),
    'PROF-08': row('depth', 'MUST', 'Chains have an end'),
    'PROF-09': row('depth', 'SHOULD', 'No agent is twice in a chain', { priority: 'P1' }),
    'PROF-10': row('live', 'MUST', 'Permission is asked at every hop'),
    'PROF-11': row('lifetime', 'MUST', 'No token outlives what it came from'),
    'PROF-12': row(
      'revocation',
      'MUST',
      'What came from a revoked token is revoked; siblings are not',
    ),
    'PROF-13': row(
      'binding',
      'MUST',
      'A bound token is exchanged by its holder’s proof or its audience only',
    ),
    'PROF-14': row(
      'binding',
      'MUST',
      'The new token is bound to the caller’s key, not the old one',
    ),
    'PROF-15': row('introspection', 'MUST', 'Introspection shows the chain'),
    'PROF-16': row('claims', 'MUST', 'Nobody outside sets claims of the profile'),
    'PROF-17': row('may_act', 'MUST', 'Every identity member of may_act has to match'),
    'PROF-18': row('may_act', 'SHOULD', 'may_act of a subject token is not inherited', {
      priority: 'P1',
    }),
    'PROF-19': row('actor', 'MUST', 'Actors are named with their issuer, and are no users'),
    'PROF-20': row('live', 'MUST', 'A disabled user, client or earlier actor ends the chain'),
    'PROF-21': row('chain', 'MUST', 'A foreign chain is not imported, good or malformed'),
    'PROF-22': row('single use', 'MUST', 'Of parallel copies exactly one succeeds'),
    'PROF-23': row(
      'errors',
      'SHOULD',
      'A stranger is not told which of several faults a token has',
      { priority: 'P2' },
    ),
    'PROF-24': row('audit', 'MUST', 'One exchange is one record, with chain, scopes and decision', {
      priority: 'P1',
      gap: 'how a log is read is each server’s own; ours is held to it by test/exchange-record.test.ts',
    }),
    'PROF-25': row('answer', 'MAY', 'A binding that the answer names is the token’s', {
      priority: 'P2',
      source: 'not at hand: draft-mcguinness-oauth-token-exchange-cnf, by its name',
    }),
    'PROF-26': row('actor', 'MUST', 'Without an actor token the client is the actor'),
    'PROF-27': row('status', 'ours', 'One list tells of a token and all it came from'),
    'PROF-28': row('status', 'ours', 'A signed feed tells what changed, and that nothing did', {
      priority: 'P1',
    }),
    'PROF-29': row('tasks', 'ours', 'Whoever opened a task sees it and ends it, or a place in it'),
    'PROF-30': row('tasks', 'ours', 'Nobody else’s task is seen or ended'),
  },
)
