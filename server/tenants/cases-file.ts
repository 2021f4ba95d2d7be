/** The members of `tests/*.yaml`: named cases with the decision the tenant expects. */
import { z } from 'zod'
import { REASONS, type Reason } from '../core/refusal.ts'
import {
  claimValues,
  distinct,
  id,
  instant,
  line,
  purpose,
  scopeName,
  strict,
  subject,
  subjectClaim,
  target,
} from './fields.ts'

const MOST_ACTORS = 16

export const testCase = strict({
  name: line.describe('What the case shows; unique in the tenant.'),
  subject: subject
    .optional()
    .describe(
      'On whose behalf, with the prefix of its issuer. Without it the first agent acts for itself.',
    ),
  from: id
    .optional()
    .describe('The trusted issuer of the subject. Default: the opener’s first that fits.'),
  claims: z
    .record(subjectClaim, claimValues)
    .prefault({})
    .describe(
      'Claims of the subject, each a text or a list of texts; those its issuer is believed for.',
    ),
  actors: z
    .array(id)
    .min(1, { error: 'name the agent that asks' })
    .max(MOST_ACTORS, { error: `at most ${MOST_ACTORS} actors` })
    .describe('Agents from the root to the one that asks, which is the last.'),
  task_type: id.optional().describe('The kind of task. Default: the only one that fits.'),
  resource: target.describe('What the last agent asks a token for: a resource, by id or URI.'),
  scope: distinct(scopeName)
    .optional()
    .describe('Scopes it asks for. Default: whatever is permitted outright.'),
  purpose: purpose.optional().describe('What the caller says it is for; untrusted.'),
  at: instant
    .optional()
    .describe('The moment of the request, RFC 3339. Default: when the case is run.'),
  key: z
    .enum(['dpop', 'mtls', 'none'])
    .optional()
    .describe(
      'What every caller proves a key with. Default: each what its tokens are bound to, a bearer one `dpop`.',
    ),
  expect: z
    .enum(['permit', 'ask', 'refuse'])
    .describe('The decision; `ask` needs the approval of a human.'),
  reason: z
    .enum(Object.keys(REASONS) as [Reason, ...Reason[]])
    .meta({ title: 'reason (docs/errors.md)' })
    .optional()
    .describe('The reason of the refusal, as the caller is told it.'),
  granted: distinct(scopeName)
    .optional()
    .describe('Exactly the scopes the token has, in any order.'),
  policies: distinct(line)
    .optional()
    .describe('Ids of rules that must be among those that took part.'),
})

export type CaseEntry = z.output<typeof testCase>
