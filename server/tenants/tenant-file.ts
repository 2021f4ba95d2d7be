/** The members of `tenant.yaml`: who the tenant is, whom it trusts, who manages it, how far anything may go. */
import { z } from 'zod'
import { ROLES, TEXT_NAMES } from '../core/tenant.ts'
import {
  algorithm,
  audience,
  claimName,
  claimValue,
  clientId,
  displayName,
  distinct,
  duration,
  id,
  keySet,
  roleClaim,
  strict,
  subject,
  subjectClaim,
  subjectPrefix,
  uri,
  wholeNumber,
} from './fields.ts'

const HOUR = 3600
export const LONGEST_TASK = 8 * HOUR
export const LONGEST_TOKEN = HOUR
export const DEEPEST_CHAIN = 8
const MOST_SUBJECT_CLAIMS = 16
const LONGEST_CACHE = 24 * HOUR
/** A minute; more than any machine answers. */
const MOST_REQUESTS = 10_000_000

const limits = strict({
  max_depth: wholeNumber(1, DEEPEST_CHAIN)
    .default(4)
    .describe('The most agents one chain may have, the one that opened the task included.'),
  task_lifetime: duration(LONGEST_TASK)
    .prefault('15m')
    .describe('How long a task may last: seconds, or text such as 90s, 15m, 8h; 8h at most.'),
  token_lifetime: duration(LONGEST_TOKEN)
    .prefault('5m')
    .describe('How long a token may live, home tokens excepted: as `task_lifetime`; 1h at most.'),
  tokens_per_place: wholeNumber(1, 4096)
    .default(64)
    .describe('The most tokens one agent is given at one place of a chain.'),
  tokens_per_task: wholeNumber(1, 65_536)
    .default(512)
    .describe('The most tokens that are made in one task.'),
  requests_per_client: wholeNumber(1, MOST_REQUESTS)
    .default(6000)
    .describe(
      'The most requests a minute of one client, whichever endpoint. Only what its key signed counts.',
    ),
  requests_per_tenant: wholeNumber(1, MOST_REQUESTS)
    .default(60_000)
    .describe('The most requests a minute of all clients together.'),
  requests_per_task: wholeNumber(1, MOST_REQUESTS)
    .default(1200)
    .describe('The most exchanges a minute of the tokens of one task, refused ones included.'),
})

export const trustedIssuer = strict({
  id: id.describe('Our name for it; the other files refer to it by this.'),
  issuer: uri.describe(
    "Its issuer identifier, compared with a token's `iss` character by character.",
  ),
  jwks_uri: uri.optional().describe('Where its public keys are read from. State this or `jwks`.'),
  jwks: keySet.optional().describe('Its public keys, written here. State this or `jwks_uri`.'),
  algorithms: distinct(algorithm)
    .min(1, { error: 'name an algorithm' })
    .default(['ES256'])
    .describe('Signature algorithms its tokens may have.'),
  token_types: distinct(z.enum(['id_token', 'jwt']))
    .min(1, { error: 'name a token type' })
    .default(['id_token'])
    .describe(
      'Kinds of its tokens that are accepted: OpenID Connect ID tokens, other JWTs, or both.',
    ),
  subject_prefix: subjectPrefix
    .default('')
    .describe('Put before its `sub`, so that two issuers cannot speak for the same subject.'),
  client_claim: claimName
    .optional()
    .describe(
      'The claim that names the calling client where the audience is this tenant and not that client.',
    ),
  scope_claim: claimName
    .optional()
    .describe(
      'The claim whose scopes bound what may be done for the subject; without it, no such bound.',
    ),
  audiences: distinct(audience)
    .default([])
    .describe(
      "Further names of this tenant there, accepted as a token's audience as its issuer is; needs `client_claim`.",
    ),
  subject_claims: distinct(subjectClaim)
    .max(MOST_SUBJECT_CLAIMS, { error: `at most ${MOST_SUBJECT_CLAIMS} claims` })
    .default([])
    .describe('Claims of a subject that rules may read: text, or a list of texts.'),
  management_client: clientId
    .optional()
    .describe(
      'The client whose ID tokens sign people in to manage this tenant; not the client id of any agent. Without it, nobody signs in from here.',
    ),
})

export const roleGrant = strict({
  role: z.enum(ROLES).describe('What the people it is granted to may do.'),
  issuer: id.describe('The trusted issuer they sign in at; it has a `management_client`.'),
  claim: roleClaim.describe('The claim of their ID token that is looked at; `sub` is possible.'),
  value: claimValue.describe('The text this claim is, or has in its list.'),
})

export const tenantFile = strict({
  display_name: displayName.describe('The name people read.'),
  signing_alg: algorithm
    .default('ES256')
    .describe('Signature algorithm of the tokens this tenant issues.'),
  // Read one by one, so that a fault in one does not hide those of the others.
  trusted_issuers: z
    .array(z.unknown())
    .max(100)
    .default([])
    .describe('Who may say on whose behalf work is done. A token of anyone else is refused.'),
  roles: z
    .array(z.unknown())
    .max(100)
    .default([])
    .describe(
      'Which of the trusted issuers’ people may manage this tenant. None: the operator alone.',
    ),
  event_receivers: z
    .array(z.unknown())
    .max(100)
    .default([])
    .describe(
      'Other products that are told what ends here (OpenID Shared Signals). None: nothing is sent.',
    ),
  event_transmitters: z
    .array(z.unknown())
    .max(100)
    .default([])
    .describe('Other products whose events end what is done for their subjects here.'),
  trust_domains: z
    .array(z.unknown())
    .max(100)
    .default([])
    .describe('SPIFFE trust domains whose workloads may be agents here.'),
  certificate_authorities: z
    .array(z.unknown())
    .max(100)
    .default([])
    .describe('Who signs certificates that agents prove themselves by.'),
  workload_issuers: z
    .array(z.unknown())
    .max(100)
    .default([])
    .describe(
      'Platforms that give their workloads tokens: Kubernetes clusters, CI systems, clouds.',
    ),
  attesters: z
    .array(z.unknown())
    .max(100)
    .default([])
    .describe('Who attests instances of agents (attestation-based client authentication).'),
  client_secrets: z
    .boolean()
    .default(false)
    .describe('Whether agents may prove themselves by a secret; warned of where one does.'),
  dpop_nonces: z
    .boolean()
    .default(false)
    .describe('Whether a DPoP proof at the token endpoint must carry a nonce of ours.'),
  signing_keys: strict({
    cache_period: duration(LONGEST_CACHE)
      .prefault('10m')
      .describe(
        'How long a verifier may hold the key set: a new key is published twice as long before it signs.',
      ),
  })
    .prefault({})
    .describe('The keys this tenant signs with.'),
  audit: strict({
    keep_texts: distinct(z.enum(TEXT_NAMES))
      .default([])
      .describe(
        'Free texts kept beside the audit log, sealed: why a task was opened, why something was ended, what a tool was called with.',
      ),
  })
    .prefault({})
    .describe('What is kept of words that people and agents write.'),
  disabled_subjects: distinct(subject)
    .default([])
    .describe('Subjects, with their prefix, on whose behalf nothing may be done.'),
  limits: limits
    .prefault({})
    .describe('Outer bounds. A task type may set lower ones, never higher ones.'),
})

export type TenantFile = z.output<typeof tenantFile>
export type IssuerEntry = z.output<typeof trustedIssuer>
export type RoleEntry = z.output<typeof roleGrant>
