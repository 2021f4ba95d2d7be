/** What a resource server did with tokens that were issued for it, taken on record in batches. */
import { z } from 'zod'
import { RECORD_REASONS, type RecordReason } from '../../core/record-refusal.ts'
import type { ActionRecord } from '../../use-cases/record-actions.ts'
import { type Route, route } from './route.ts'
import { nothing, words } from './schemas.ts'
import { liveTenant } from './tenants.ts'

const MOST_RECORDS = 100
/** Octets: as many records of the longest kind. */
const LARGEST_BODY = 1024 * 1024

const recordId = z.string().regex(/^[A-Za-z0-9_-]{22}$/)

const actionRecord = z.strictObject({
  id: recordId.meta({ description: '128 random bits, the same whenever this record is sent.' }),
  jti: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .meta({ description: 'Of the access token.' }),
  txn: recordId.meta({ description: 'Of its task.' }),
  tool: words(128).meta({ description: 'What was called.' }),
  target: words(512).meta({ description: 'What it was called on.' }),
  input_digest: z
    .string()
    .regex(/^sha-256:[A-Za-z0-9_-]{43}$/)
    .optional()
    .meta({ description: 'Salted, of what it was called with.' }),
  input: z.string().max(4096).optional().meta({
    description: 'What it was called with: digested here, and kept where the tenant keeps it.',
  }),
  outcome: z.enum(['succeeded', 'failed', 'refused']),
  change_ref: words(256).optional().meta({ description: 'What changed: a commit, row or ticket.' }),
  at: z.iso.datetime().max(30).meta({ description: 'When, at most 24 hours ago.' }),
})

const newRecords = z.strictObject({ records: z.array(actionRecord).min(1).max(MOST_RECORDS) })

const takenRecords = z.strictObject({
  accepted: z.array(recordId),
  refused: z.array(
    z.strictObject({
      id: recordId,
      reason: z.enum(Object.keys(RECORD_REASONS) as [RecordReason, ...RecordReason[]]),
    }),
  ),
})

export const RECORD_ROUTES: readonly Route[] = [
  route({
    method: 'POST',
    path: '/t/{tenant}/audit/records',
    name: 'record_actions',
    event: 'record',
    summary: 'Takes on record what a resource server did with tokens that were issued for it',
    roles: ['resource'],
    query: nothing,
    body: { schema: newRecords, limit: LARGEST_BODY },
    answers: {
      200: {
        text: 'What was accepted, now or before, is durable; what was refused is so for good.',
        schema: takenRecords,
      },
    },
    refusals: ['not_found'],
    handle: async (deps, { author, parameters, body, record }) => {
      const tenant = liveTenant(deps, parameters['tenant'])
      if ('kind' in tenant) return tenant
      const resource = { id: author.id, uri: tenant.resources.get(author.id)?.uri ?? '' }
      record.note({ client: resource.id, target: resource.uri })
      const actions = body.records.map(actionOf)
      const request = { tenant: tenant.id, resource, actions, record }
      const outcomes = [...(await deps.actionRecorder.record(request))]
      const accepted = outcomes.flatMap(([id, reason]) => (reason === undefined ? [id] : []))
      const refused = outcomes.flatMap(([id, reason]) => (reason ? [{ id, reason }] : []))
      return { status: 200, body: { accepted, refused } }
    },
  }),
]

function actionOf(told: z.output<typeof actionRecord>): ActionRecord {
  const { id, jti, txn, tool, target, outcome } = told
  const { input_digest: inputDigest, input, change_ref: changeRef, at } = told
  const seconds = Date.parse(at) / 1000
  return { id, jti, txn, tool, target, inputDigest, input, outcome, changeRef, at: seconds }
}
