/** What the paths of tasks take and give. Times are RFC 3339. */
import { z } from 'zod'
import { id, listOf, MOST_ITEMS, words } from './schemas.ts'

const txn = z.string().regex(/^[A-Za-z0-9_-]{22}$/)
const instant = z.string().meta({ format: 'date-time' })
/** Attacker-chosen text of an issuer, as the tenant knows it. */
const subject = z.string().min(1).max(512)

const MOST_AGENTS = 16
const AGENT = '[a-z][a-z0-9-]{0,62}'

/** Agent ids from the root to the holder, joined by `/`. */
const place = z
  .string()
  .regex(new RegExp(`^${AGENT}(?:/${AGENT}){0,${MOST_AGENTS - 1}}$`))
  .meta({ description: 'Agent ids from the root, joined by `/`.' })

const reason = words(512).meta({ description: 'Why, in the words of the author.' })

const ending = z.strictObject({ at: instant, by: z.string(), reason: z.string() })

export const TASK_STATES = ['open', 'suspended', 'closed', 'revoked', 'expired'] as const

const state = z.enum(TASK_STATES).meta({
  description: '`expired`: past its deadline, and neither closed nor revoked.',
})

export const taskQuery = z.strictObject({
  state: z.enum(TASK_STATES).optional(),
  agent: id.optional().meta({ description: 'Opened it or acts in it.' }),
  subject: subject.optional(),
  limit: z
    .string()
    .regex(/^[1-9][0-9]{0,2}$/)
    .refine((limit) => Number(limit) <= MOST_ITEMS, { error: `at most ${MOST_ITEMS}` })
    .optional(),
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .optional(),
})

const taskSummary = z.strictObject({
  txn,
  type: z.string(),
  purpose: z.string().optional(),
  subject: z.string(),
  opener: id,
  opened_at: instant,
  deadline: instant,
  state,
  ending: ending.optional().meta({ description: 'Of the last change of its state.' }),
})

export const taskList = listOf(taskSummary)

const taskToken = z.strictObject({
  jti: z.string(),
  parent: z.string().meta({ description: '`jti` of the token presented for it, or of the root.' }),
  audience: z.string(),
  scope: z.array(z.string()),
  reach: z.array(z.string()),
  issued_at: instant,
  expires_at: instant,
  state: z.enum(['live', 'suspended', 'expired', 'revoked']),
})

const taskPlace = z.strictObject({
  place: z.array(id).meta({ description: 'Agent ids from the root to the holder.' }),
  agent: id.meta({ description: 'The holder.' }),
  revoked: ending.optional().meta({ description: 'Where the place was taken out by itself.' }),
  tokens: z.array(taskToken).meta({ description: 'Oldest first.' }),
})

export const taskTree = taskSummary.extend({
  scope: z.array(z.string()),
  reach: z.array(z.string()),
  max_depth: z.int(),
  tokens: z.int().meta({ description: 'How many there are.' }),
  places: z.array(taskPlace).meta({ description: 'Depth first.' }),
})

export const closing = z.strictObject({ reason: reason.optional() })
export const revoking = z.strictObject({ reason, place: place.optional() })
export const resuming = z.strictObject({ reason })

export const closedTask = z.strictObject({ txn, state: z.literal('closed'), closed_at: instant })
export const revokedTask = z.strictObject({
  txn,
  state,
  place: z.array(id).optional(),
  revoked_at: instant.meta({ description: 'By whoever was first.' }),
})
export const resumedTask = z.strictObject({ txn, state: z.literal('open'), resumed_at: instant })

const SCOPES = ['agent', 'subject', 'task_type'] as const

export const revocation = z
  .strictObject({
    agent: id.optional().meta({ description: 'Wherever it acts, and the tasks it opened.' }),
    subject: subject.optional().meta({ description: 'Every task on behalf of it.' }),
    task_type: id.optional().meta({ description: 'Every task of it.' }),
    reason,
  })
  .refine((body) => SCOPES.filter((name) => body[name] !== undefined).length === 1, {
    error: 'exactly one of agent, subject and task_type',
  })

export const revokedEverywhere = z.strictObject({
  id: z.string(),
  tasks: z.int().meta({ description: 'How many it ended that were not over.' }),
  places: z.int().meta({ description: 'How many it took out of tasks that go on.' }),
})
