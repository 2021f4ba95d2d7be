/** The members of `agents.yaml`: OAuth clients that act for somebody. */
import { z } from 'zod'
import { agentAuth } from './agent-auth.ts'
import { clientId, distinct, id, instant, line, scopeName, strict } from './fields.ts'

export const agent = strict({
  id: id.describe('Its client id; the name it has in every chain.'),
  owner: line.describe('Who answers for it: a team, a mail address.'),
  class: z
    .enum(['retrieval', 'worker', 'orchestrator'])
    .describe('What kind of agent it is; rules may ask for it.'),
  purpose: line.optional().describe('What it is for, in a sentence; shown to people and to rules.'),
  scopes: distinct(scopeName).describe('What it may use itself or hand on.'),
  may_reach: distinct(id).describe('Ids of the resources it may ask a token for.'),
  default_target: id
    .optional()
    .describe('The resource an exchange without a target goes to. Default: its home.'),
  home: id
    .optional()
    .describe('Which of its endpoints is its home; needed only where it has several.'),
  auth: agentAuth.describe(
    'The one way it proves who it is; a credential of another kind is refused.',
  ),
  issuer_clients: z
    .record(id, clientId)
    .default({})
    .describe(
      'Its client id at each trusted issuer: a token of a subject counts only for its own client.',
    ),
  binding: z
    .enum(['dpop', 'mtls', 'bearer'])
    .default('dpop')
    .describe(
      'What its tokens are bound to: `dpop`, a key it proves with each request; `mtls`, its certificate in TLS; `bearer`, nothing (warned of).',
    ),
  expires: instant
    .optional()
    .describe(
      'When it stops being accepted: a date (its first moment in UTC) or an instant, RFC 3339.',
    ),
  disabled: z.boolean().default(false).describe('Whether it is refused everywhere, in chains too.'),
})

export type AgentEntry = z.output<typeof agent>
