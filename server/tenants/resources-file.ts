/** The members of `resources.yaml`: what tokens are for. */
import { z } from 'zod'
import { TIERS } from '../core/tenant.ts'
import { distinct, id, keySet, line, scopeName, strict, uri } from './fields.ts'

const sensitivity = z.enum(['low', 'moderate', 'high'])

const everyResource = {
  id: id.describe('Its name in these files, and as `audience` of an exchange.'),
  uri: uri.describe('The audience of its tokens, compared character by character.'),
  sensitivity: sensitivity
    .default('low')
    .describe('How sensitive its data is; rules may ask for it.'),
  owner: line.optional().describe('Who answers for its data; rules may compare it.'),
  keys: keySet
    .optional()
    .describe(
      'Its own public keys, with which it asks about tokens and records what was done with them; its client id is its id.',
    ),
}

export const resource = z.discriminatedUnion('kind', [
  strict({
    ...everyResource,
    kind: z.literal('api').describe('An API.'),
    scopes: z
      .record(
        scopeName,
        strict({
          tier: z
            .enum(TIERS)
            .describe(
              'What it allows: `read` changes nothing, `propose` can be undone, `execute` cannot.',
            ),
          sensitivity: sensitivity
            .optional()
            .describe("How sensitive what it opens is. Default: the resource's."),
        }),
      )
      .describe('The scopes it defines, by name. A scope name belongs to one API of the tenant.'),
  }),
  strict({
    ...everyResource,
    kind: z.literal('agent').describe('The endpoint of one agent.'),
    agent: id.describe('The agent that answers there.'),
    scopes: distinct(scopeName).describe('The scopes it accepts to be handed.'),
  }),
])

export type ResourceEntry = z.output<typeof resource>
