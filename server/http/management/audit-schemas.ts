/** What the paths of the log take and give. Entries are as they stand in the log: their times are seconds since the epoch. */
import { z } from 'zod'
import { EXPORT_FORMATS } from '../../use-cases/export-audit.ts'
import { id, listOf, MOST_ITEMS, words } from './schemas.ts'

const txn = z.string().regex(/^[A-Za-z0-9_-]{22}$/)
const code = z.string().regex(/^[a-z][a-z_.]{0,62}$/)
const instant = z.iso.datetime({ offset: true }).max(40)

export const auditFilters = z.strictObject({
  txn: txn.optional().meta({ description: 'Of this task.' }),
  agent: id.optional().meta({ description: 'It asked, was changed, or acts in the chain.' }),
  subject: words(512).optional().meta({ description: 'On behalf of it.' }),
  resource: words(512).optional().meta({ description: 'URI of the target.' }),
  outcome: z.enum(['permit', 'refuse', 'ask']).optional(),
  reason: code.optional().meta({ description: 'Public reason of a refusal.' }),
  code: code.optional().meta({ description: 'Event code.' }),
  from: instant.optional().meta({ description: 'Not before.' }),
  to: instant.optional().meta({ description: 'Before.' }),
})

export const auditQuery = auditFilters.extend({
  limit: z
    .string()
    .regex(/^[1-9][0-9]{0,2}$/)
    .refine((limit) => Number(limit) <= MOST_ITEMS, { error: `at most ${MOST_ITEMS}` })
    .optional(),
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,32}$/)
    .optional(),
})

export const exportQuery = auditFilters.extend({
  format: z.enum(EXPORT_FORMATS).optional().meta({ description: 'jsonl where it is not said.' }),
})

export const growthQuery = z.strictObject({
  from: z
    .string()
    .regex(/^(?:0|[1-9][0-9]{0,14})$/)
    .meta({ description: 'Entries the log had at the older checkpoint.' }),
})

const index = z.int().min(0).meta({ description: 'Its leaf in the tree of the log, from 0.' })

/** Members of an entry are docs/audit-events.md's; a line that a crash cut short has none. */
const entry = z.looseObject({ index, time: z.number().optional(), code: z.string().optional() })

export const entryList = listOf(entry)

const texts = z.record(z.string(), z.string())
const indexes = z.array(index)

export const taskStory = z.strictObject({
  txn,
  entries: z
    .array(entry.extend({ texts: texts.optional().meta({ description: 'As far as kept.' }) }))
    .meta({ description: 'Oldest first.' }),
  places: z
    .array(
      z.strictObject({
        place: z.array(z.string()).meta({ description: 'Agent ids from the root.' }),
        tokens: indexes.meta({ description: 'Issued there.' }),
        refusals: indexes.meta({ description: 'Asked for there and not given.' }),
        actions: indexes.meta({ description: 'What resource servers say was done.' }),
        endings: indexes,
      }),
    )
    .meta({ description: 'Depth first. What happened is named by the index of its entry.' }),
  task: indexes.meta({ description: 'What happened to the task as a whole.' }),
  is_cut: z.boolean().meta({ description: 'There are more entries: these are the oldest.' }),
})

const base64 = z.string().meta({ description: 'Base64.' })

export const grownLog = z.strictObject({
  from: z.int(),
  size: z.int(),
  proof: z.array(base64).meta({ description: 'RFC 9162 §2.1.4.1.' }),
  checkpoint: z.string().meta({ description: 'Of `size` entries: a signed note.' }),
  key: z.string().meta({ description: 'Verifier key of the log.' }),
})

/** actchain-evidence/1, which `verifyEvidence` of @actchain/verifier/audit reads. */
export const evidenceBundle = z.looseObject({
  format: z.literal('actchain-evidence/1'),
  tenant: id,
  issuer: z.string(),
  txn,
  origin: z.string(),
  key: z.string(),
  checkpoint: z.string(),
  entries: z.array(z.looseObject({ index, proof: z.array(base64) })),
  versions: z.array(
    z.strictObject({ version: z.string(), documents: z.record(z.string(), z.unknown()) }),
  ),
  missing_versions: z.array(z.string()),
  is_cut: z.boolean(),
  jwks: z.looseObject({}),
})

export const checkpointText = z.string().meta({ description: 'C2SP tlog-checkpoint.' })
export const exportedLines = z.string().meta({ description: 'One JSON value a line.' })
