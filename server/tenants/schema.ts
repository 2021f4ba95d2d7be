/**
 * The members of a tenant's four files, as written (snake_case), with their defaults and bounds. What one value
 * says about another is in `references.ts` and its neighbours.
 */
import { z } from 'zod'
import {
  claimName,
  clientId,
  displayName,
  distinct,
  duration,
  id,
  instant,
  isTrue,
  keySet,
  line,
  scopeName,
  strict,
  subject,
  subjectPrefix,
  wholeNumber,
} from './fields.ts'

const HOUR = 3600
const LONGEST_TASK = 8 * HOUR
const LONGEST_TOKEN = HOUR
const DEEPEST_CHAIN = 8
/** The masks of a token have 31 bits (docs/chain-format.md §1). */
const MOST_BITS = 31

const algorithm = z.enum(['ES256', 'EdDSA', 'RS256'])
const uri = z.string()

export const limits = strict({
  max_depth: wholeNumber(1, DEEPEST_CHAIN).default(4),
  task_lifetime: duration(LONGEST_TASK).default(15 * 60),
  token_lifetime: duration(LONGEST_TOKEN).default(5 * 60),
  tokens_per_place: wholeNumber(1, 4096).default(64),
  tokens_per_task: wholeNumber(1, 65_536).default(512),
})

export const tenantFile = strict({
  display_name: displayName,
  signing_alg: algorithm.default('ES256'),
  // Read one by one, so that a fault in one does not hide those of the others.
  trusted_issuers: z.array(z.unknown()).max(100).default([]),
  disabled_subjects: distinct(subject).default([]),
  limits: limits.prefault({}),
})

export const trustedIssuer = strict({
  id,
  issuer: uri,
  jwks_uri: uri.optional(),
  jwks: keySet.optional(),
  algorithms: distinct(algorithm).min(1, { error: 'name an algorithm' }).default(['ES256']),
  token_types: distinct(z.enum(['id_token', 'jwt']))
    .min(1, { error: 'name a token type' })
    .default(['id_token']),
  subject_prefix: subjectPrefix.default(''),
  client_claim: claimName.optional(),
  scope_claim: claimName.optional(),
})

export const agent = strict({
  id,
  owner: line,
  class: z.enum(['retrieval', 'worker', 'orchestrator']),
  scopes: distinct(scopeName),
  may_reach: distinct(id),
  default_target: id.optional(),
  home: id.optional(),
  auth: strict({
    method: z.literal('private_key_jwt'),
    jwks: keySet.optional(),
    development_keys: isTrue.optional(),
  }),
  issuer_clients: z.record(id, clientId).default({}),
  binding: z.enum(['dpop', 'bearer', 'mtls']).default('dpop'),
  expires: instant.optional(),
  disabled: z.boolean().default(false),
})

const everyResource = {
  id,
  uri,
  sensitivity: z.enum(['low', 'moderate', 'high']).default('low'),
  keys: keySet.optional(),
}

export const resource = z.discriminatedUnion('kind', [
  strict({
    ...everyResource,
    kind: z.literal('api'),
    scopes: z.record(scopeName, strict({ tier: z.enum(['read', 'propose', 'execute']) })),
  }),
  strict({
    ...everyResource,
    kind: z.literal('agent'),
    agent: id,
    scopes: distinct(scopeName),
  }),
])

export const taskType = strict({
  id,
  basis: z.enum(['policy', 'client']).default('policy'),
  openers: distinct(id).min(1, { error: 'name an agent that may open it' }),
  subjects_from: distinct(id).default([]),
  scopes: distinct(scopeName)
    .min(1, { error: 'name a scope' })
    .max(MOST_BITS, { error: `at most ${MOST_BITS} scopes fit a token` }),
  reach: distinct(id)
    .min(1, { error: 'name a resource' })
    .max(MOST_BITS, { error: `at most ${MOST_BITS} places to reach fit a token` }),
  max_depth: wholeNumber(1, DEEPEST_CHAIN).optional(),
  lifetime: duration(LONGEST_TASK).optional(),
  token_lifetime: duration(LONGEST_TOKEN).optional(),
})

export type TenantFile = z.output<typeof tenantFile>
export type IssuerEntry = z.output<typeof trustedIssuer>
export type AgentEntry = z.output<typeof agent>
export type ResourceEntry = z.output<typeof resource>
export type TaskTypeEntry = z.output<typeof taskType>
