/** The members of `task-types.yaml`: what kinds of task the tenant allows. */
import { z } from 'zod'
import { SIGNALS } from '../core/tenant.ts'
import { distinct, duration, id, scopeName, strict, wholeNumber } from './fields.ts'
import { DEEPEST_CHAIN, LONGEST_TASK, LONGEST_TOKEN } from './tenant-file.ts'

/** The masks of a token have 31 bits (docs/chain-format.md §1). */
const MOST_BITS = 31
/** Each is a counter that every exchange of such a task writes. */
const MOST_TRIGGERS = 16
const MOST_COUNTED = 65_536

const trigger = strict({
  on: z
    .enum(SIGNALS)
    .describe(
      'What is counted, of agents that hold or were sent the token they present. `exchanges`: tokens asked for. `fan_out`: tokens that recipients made of the tokens of one place. `refused_widening`: scope, target, chain length or a second turn that was refused. `replayed_proof`: a DPoP proof that was used before. `use_after_end`: a token of a task that was closed or is suspended.',
    ),
  per: z
    .enum(['task', 'place'])
    .default('task')
    .describe('Whether the whole task is counted together, or each place of a chain by itself.'),
  more_than: wholeNumber(0, MOST_COUNTED).describe('How often is not too often yet.'),
  within: duration(LONGEST_TASK).describe(
    'The window that is counted in: seconds, or text such as 90s, 15m; 8h at most. Windows follow one another, so twice as many may pass around the end of one.',
  ),
  then: z
    .enum(['suspend', 'revoke'])
    .describe(
      '`suspend`: the task stops until a person resumes it. `revoke`: it is over, and its subject token opens no other.',
    ),
})

export const taskType = strict({
  id: id.describe('Its name, as `task_type` of an exchange.'),
  basis: z
    .enum(['policy', 'client'])
    .default('policy')
    .describe(
      '`policy`: opened for a user, with a token of that user. `client`: by an agent for itself.',
    ),
  openers: distinct(id)
    .min(1, { error: 'name an agent that may open it' })
    .describe('The agents that may open it.'),
  subjects_from: distinct(id)
    .default([])
    .describe('Trusted issuers whose subjects it may be opened for; none with basis `client`.'),
  scopes: distinct(scopeName)
    .min(1, { error: 'name a scope' })
    .max(MOST_BITS, { error: `at most ${MOST_BITS} scopes fit a token` })
    .describe('All that may be used in such a task. Tokens keep the order: append new ones.'),
  reach: distinct(id)
    .min(1, { error: 'name a resource' })
    .max(MOST_BITS, { error: `at most ${MOST_BITS} places to reach fit a token` })
    .describe("Ids of the resources such a task may get to; the opener's home need not be listed."),
  max_depth: wholeNumber(1, DEEPEST_CHAIN)
    .optional()
    .describe("The most agents a chain may have. Default and upper bound: the tenant's."),
  lifetime: duration(LONGEST_TASK)
    .optional()
    .describe(
      "How long it may last, as `limits.task_lifetime`. Default and upper bound: the tenant's.",
    ),
  token_lifetime: duration(LONGEST_TOKEN)
    .optional()
    .describe("How long its tokens may live, home tokens excepted. Upper bound: the tenant's."),
  triggers: z
    .array(trigger)
    .max(MOST_TRIGGERS, { error: `at most ${MOST_TRIGGERS} triggers` })
    .default([])
    .describe('What ends such a task by itself, at the first exchange that is too much.'),
})

export type TaskTypeEntry = z.output<typeof taskType>
