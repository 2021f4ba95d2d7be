/**
 * The story, and how it has to go: every hop with its exact chain, scope and masks, every refusal with its exact reason.
 * The agents, places and scopes are those of tenants/acme.
 */
import type { Hop, Leg, RefusedOutcome, StoredRecord } from './account.ts'
import { audienceOf, type Cast } from './cast.ts'

export type ExpectedHop = Pick<
  Hop,
  'subject' | 'actor' | 'chain' | 'audience' | 'scope' | 'scope_masks' | 'reach_masks'
>
export type ExpectedRefusal = Pick<RefusedOutcome, 'asked' | 'by' | 'error' | 'reason'> & {
  /** Who acted for alice before it was refused. */
  readonly chain: readonly string[]
}

export interface Attempt {
  readonly legs: (cast: Cast) => readonly Leg[]
  /** What somebody else does while the agents work. */
  readonly meanwhile?: (cast: Cast) => Promise<void>
  readonly expected: ExpectedRefusal
}

export interface Try {
  readonly name: string
  readonly title: string
  readonly told: string
  /** Refused, and refused again where there is another way to try. */
  readonly attempts: readonly [Attempt, ...Attempt[]]
}

const taskType = 'ledger-correction'
const READ = 'ledger:read'
const CORRECT = `${READ} ledger:propose`

/** planner → researcher → ledger-writer → ledger API, each with less than the one before. */
export function storyLegs(cast: Cast): readonly Leg[] {
  return [
    {
      target: 'researcher-a2a',
      scope: `docs:read crm:read ${CORRECT}`,
      taskType,
      at: cast.at('researcher'),
    },
    { target: 'ledger-writer-a2a', scope: `crm:read ${CORRECT}`, at: cast.at('ledger-writer') },
    { target: 'ledger-api', scope: CORRECT, at: cast.at('ledger-api') },
  ]
}

export const STORY_HOPS: readonly ExpectedHop[] = [
  {
    subject: 'alice',
    actor: 'planner',
    chain: ['planner'],
    audience: audienceOf('researcher'),
    scope: `docs:read crm:read ${CORRECT}`,
    scope_masks: [0b01111],
    reach_masks: [0b00111],
  },
  {
    subject: 'alice',
    actor: 'researcher',
    chain: ['planner', 'researcher'],
    audience: audienceOf('ledger-writer'),
    scope: `crm:read ${CORRECT}`,
    scope_masks: [0b01110, 0b01111],
    reach_masks: [0b00110, 0b00111],
  },
  {
    subject: 'alice',
    actor: 'ledger-writer',
    chain: ['planner', 'researcher', 'ledger-writer'],
    audience: audienceOf('ledger-api'),
    scope: CORRECT,
    scope_masks: [0b01100, 0b01110, 0b01111],
    reach_masks: [0b00100, 0b00110, 0b00111],
  },
]

/** What the ledger API says it did with the last token. */
export const STORY_RECORD: StoredRecord = {
  client: 'ledger-api',
  subject: 'alice',
  chain: ['planner', 'researcher', 'ledger-writer'],
  tool: 'post',
  object: '/api',
  result: 'succeeded',
}

const toResearcher = (cast: Cast, scope: string): Leg => ({
  target: 'researcher-a2a',
  scope,
  taskType,
  at: cast.at('researcher'),
})

export const TRIES: readonly Try[] = [
  {
    name: 'wider-scope',
    title: 'A wider scope',
    told: 'researcher was handed ledger:read and asks for ledger:propose as well',
    attempts: [
      {
        legs: (cast) => [
          toResearcher(cast, READ),
          { target: 'ledger-writer-a2a', scope: CORRECT, at: cast.at('ledger-writer') },
        ],
        expected: {
          chain: ['planner'],
          asked: 'researcher',
          by: 'actchain',
          error: 'invalid_scope',
          reason: 'scope_not_permitted',
        },
      },
    ],
  },
  {
    name: 'api-outside-reach',
    title: 'An API outside the reach of the task',
    told: 'researcher wants into the docs API: by a token for it, then with its ledger token',
    attempts: [
      {
        legs: (cast) => [
          toResearcher(cast, `docs:read ${READ}`),
          { target: 'docs-api', scope: 'docs:read', at: cast.at('docs-api') },
        ],
        expected: {
          chain: ['planner'],
          asked: 'researcher',
          by: 'actchain',
          error: 'invalid_target',
          reason: 'target_not_permitted',
        },
      },
      {
        legs: (cast) => [
          toResearcher(cast, `docs:read ${READ}`),
          { target: 'ledger-api', scope: READ, at: cast.at('docs-api') },
        ],
        expected: {
          chain: ['planner'],
          asked: 'researcher',
          by: 'docs-api',
          error: 'invalid_token',
          reason: 'audience_mismatch',
        },
      },
    ],
  },
  {
    name: 'fifth-hop',
    title: 'A fifth hop',
    told: 'four agents are in the chain, and ledger-writer would be the fifth',
    attempts: [
      {
        legs: (cast) => [
          { target: 'archivist-a2a', scope: CORRECT, taskType, at: cast.at('archivist') },
          { target: 'reviewer-a2a', scope: CORRECT, at: cast.at('reviewer') },
          { target: 'researcher-a2a', scope: CORRECT, at: cast.at('researcher') },
          { target: 'ledger-writer-a2a', scope: CORRECT, at: cast.at('ledger-writer') },
          { target: 'ledger-api', scope: CORRECT, at: cast.at('ledger-api') },
        ],
        expected: {
          chain: ['planner', 'archivist', 'reviewer', 'researcher'],
          asked: 'ledger-writer',
          by: 'actchain',
          error: 'invalid_request',
          reason: 'chain_too_long',
        },
      },
    ],
  },
  {
    name: 'stolen-token-exchanged',
    title: 'A stranger exchanges a stolen token',
    told: 'a token for ledger-writer leaks to mailer, an agent in good standing, who exchanges it',
    attempts: [
      {
        legs: (cast) => [
          toResearcher(cast, CORRECT),
          { target: 'ledger-writer-a2a', scope: CORRECT, at: cast.at('mailer') },
          { target: 'ledger-api', scope: CORRECT, at: cast.at('ledger-api') },
        ],
        expected: {
          chain: ['planner'],
          asked: 'mailer',
          by: 'actchain',
          error: 'invalid_request',
          reason: 'subject_token_unacceptable',
        },
      },
    ],
  },
  {
    name: 'stolen-token-without-key',
    title: 'A stolen token without its key',
    told: 'a token for the ledger API leaks to mailer, who shows it with a proof by a key of its own',
    attempts: [
      {
        legs: (cast) => [
          ...storyLegs(cast).slice(0, 2),
          { target: 'ledger-api', scope: CORRECT, at: cast.at('mailer') },
          { at: cast.at('ledger-api') },
        ],
        expected: {
          chain: ['planner', 'researcher'],
          asked: 'mailer',
          by: 'ledger-api',
          error: 'invalid_token',
          reason: 'proof_key_mismatch',
        },
      },
    ],
  },
  {
    name: 'expired-parent',
    title: 'An expired parent',
    told: 'researcher holds a token of two seconds, waits for its end, and exchanges it',
    attempts: [
      {
        legs: (cast) => [
          { ...toResearcher(cast, READ), taskType: 'errand' },
          {
            target: 'ledger-writer-a2a',
            scope: READ,
            at: cast.at('ledger-writer'),
            wait: 'expiry',
          },
        ],
        expected: {
          chain: ['planner'],
          asked: 'researcher',
          by: 'actchain',
          error: 'invalid_request',
          reason: 'subject_token_expired',
        },
      },
    ],
  },
  {
    name: 'revoked-task',
    title: 'A task that was revoked',
    told: 'ledger-writer works on at the ledger API, which checks offline, while the operator revokes the task',
    attempts: [
      {
        legs: (cast) => [
          ...storyLegs(cast).slice(0, 2),
          { target: 'ledger-api', scope: CORRECT, at: cast.at('ledger-api'), wait: 'refusal' },
        ],
        meanwhile: (cast) => cast.revokeTask(),
        expected: {
          chain: ['planner', 'researcher'],
          asked: 'ledger-writer',
          by: 'ledger-api',
          error: 'invalid_token',
          reason: 'token_revoked',
        },
      },
    ],
  },
]
