/** The members of `task-types.yaml`: what kinds of task the tenant allows. */
import { z } from 'zod'
import { distinct, duration, id, scopeName, strict, wholeNumber } from './fields.ts'
import { DEEPEST_CHAIN, LONGEST_TASK, LONGEST_TOKEN } from './tenant-file.ts'

/** The masks of a token have 31 bits (docs/chain-format.md §1). */
const MOST_BITS = 31

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
})

export type TaskTypeEntry = z.output<typeof taskType>
