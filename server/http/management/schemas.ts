/**
 * What the management API takes and gives, in its own words (snake_case, RFC 3339 times). The same schemas check requests and
 * make `/openapi.json`. Nothing that is not listed is taken (attack case Q05).
 */
import { z } from 'zod'
import { MANAGEMENT_REASONS, type ManagementReason } from '../../core/management-refusal.ts'
import { REASONS, type Reason } from '../../core/refusal.ts'

export const id = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/)
/** Hash of what a version's files say. */
export const versionId = z.string().regex(/^[0-9a-f]{64}$/)
/** Of ours, so it needs no second check. */
export const instant = z.string().meta({ format: 'date-time' })
/** Goes on record as written: printable. */
export const words = (most: number) =>
  z.string().regex(new RegExp(`^[^\\p{Cc}\\p{Cs}\\u2028\\u2029]{1,${most}}$`, 'u'))

export const problem = z.strictObject({
  file: z.string(),
  line: z.int().min(1),
  column: z.int().min(1),
  text: z.string(),
  suggestion: z.string().optional(),
})

const MAX_FILES = 4000
const source = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/)

export const newVersion = z.strictObject({
  files: z
    .record(source, z.string())
    .refine((files) => Object.keys(files).length <= MAX_FILES, { error: 'too many files' })
    .meta({ description: 'Text of each file by its path in the tenant folder.' }),
  note: words(512).optional().meta({ description: 'Why, in the words of the author.' }),
})

export const addedVersion = z.strictObject({ version: versionId, warnings: z.array(problem) })

export const tenantSummary = z.strictObject({
  id,
  issuer: z.string(),
  version: versionId,
  source: z.enum(['folder', 'store']).meta({ description: 'Where its live version is from.' }),
  revision: z.int().min(0).meta({ description: 'Grows with every change of its live state.' }),
})

export const tenantView = tenantSummary.extend({ display_name: z.string() })

export const versionSummary = z.strictObject({
  version: versionId,
  author: z.string(),
  created_at: instant,
  note: z.string().optional(),
  live: z.boolean(),
  activated_at: instant.optional(),
  activated_by: z.string().optional(),
})

export const versionView = z.strictObject({
  version: versionId,
  live: z.boolean(),
  author: z
    .string()
    .optional()
    .meta({ description: 'Absent where it is the folder of the server.' }),
  created_at: instant.optional(),
  note: z.string().optional(),
  files: z.record(z.string(), z.string()),
})

export const activation = z.strictObject({
  version: versionId,
  previous: versionId.optional(),
  changes: z.array(z.string()),
})

export const agentView = z.strictObject({
  id,
  owner: z.string(),
  class: z.enum(['retrieval', 'worker', 'orchestrator']),
  purpose: z.string().optional(),
  scopes: z.array(z.string()),
  may_reach: z.array(z.string()),
  home: z.string(),
  binding: z.enum(['dpop', 'mtls', 'bearer']),
  expires: instant.optional(),
  disabled: z.boolean().meta({ description: 'By its version or by hand.' }),
  disabled_by_hand: z.boolean(),
  registered_at: instant.optional().meta({
    description: 'Where the id had belonged to another agent: since when it is this one.',
  }),
})

export const agentChange = z.strictObject({ disabled: z.boolean() })

const text = z.string().min(1).max(255)

/** The members of a case in `tests/*.yaml`. */
export const caseBody = z.strictObject({
  actors: z.array(id).min(1).max(16),
  resource: z.string().min(1).max(2048),
  scope: z.array(text).max(64).optional(),
  subject: text.optional(),
  from: id.optional(),
  claims: z.record(text, z.union([text, z.array(text).max(64)])).optional(),
  task_type: id.optional(),
  purpose: words(512).optional(),
  key: z.enum(['dpop', 'mtls', 'none']).optional(),
  at: z.iso.datetime({ offset: true }).optional(),
})

/** What `actchain explain` prints. */
export const explanation = z.looseObject({
  decision: z.enum(['permit', 'ask', 'refuse']),
  reason: z.string().optional(),
  granted: z.array(z.string()),
  tenant: id,
  version: versionId,
  facts: z.looseObject({}),
  guards: z.array(z.looseObject({ guard: z.string(), holds: z.boolean() })),
  rules: z.array(z.looseObject({ decision: z.string(), policies: z.array(z.string()) })),
})

export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    items: z.array(item),
    next_cursor: z.string().optional().meta({ description: 'Absent at the end.' }),
  })

export const MOST_ITEMS = 100

export const pageQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^[1-9][0-9]{0,2}$/)
    .refine((limit) => Number(limit) <= MOST_ITEMS, { error: `at most ${MOST_ITEMS}` })
    .optional(),
  cursor: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/)
    .optional(),
})

export const nothing = z.strictObject({})

/** RFC 9457 §3. */
export const problemDocument = z.strictObject({
  type: z.literal('about:blank'),
  status: z.int(),
  reason: z.enum(Object.keys(MANAGEMENT_REASONS) as [ManagementReason, ...ManagementReason[]]),
  detail: z.string(),
  error_ref: z.string(),
  problems: z.array(problem).optional(),
  warnings: z.array(problem).optional(),
  errors: z.array(z.strictObject({ pointer: z.string(), text: z.string() })).optional(),
  retry_from: instant.optional().meta({ description: 'When a key can be asked for again.' }),
})

const parameter = z.string().optional()

export const operatorForm = z.object({
  grant_type: z.literal('client_credentials'),
  client_assertion_type: z.literal('urn:ietf:params:oauth:client-assertion-type:jwt-bearer'),
  client_assertion: z.string(),
  resource: parameter,
  scope: parameter,
})

export const personForm = z.object({
  grant_type: z.literal('urn:ietf:params:oauth:grant-type:token-exchange'),
  subject_token: z.string(),
  subject_token_type: z.literal('urn:ietf:params:oauth:token-type:id_token'),
  resource: parameter,
  scope: parameter,
})

export const tokenAnswer = z.strictObject({
  access_token: z.string(),
  issued_token_type: z.literal('urn:ietf:params:oauth:token-type:access_token'),
  token_type: z.literal('DPoP'),
  expires_in: z.int(),
  scope: z.string(),
  cnf: z.strictObject({ jkt: z.string() }),
})

/** RFC 6749 §5.2. */
export const oauthError = z.strictObject({
  error: z.string(),
  error_description: z.string(),
  reason: z.enum(Object.keys(REASONS) as [Reason, ...Reason[]]),
  error_ref: z.string(),
})
