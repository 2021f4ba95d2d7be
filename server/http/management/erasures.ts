/** The end of words that a tenant kept: for whoever has a right that they go. The log itself is never changed. */
import { z } from 'zod'
import { isManagementRefusal } from '../../core/management-refusal.ts'
import { eraseTexts } from '../../use-cases/erase-texts.ts'
import { type Route, route } from './route.ts'
import { nothing } from './schemas.ts'

const SMALL_BODY = 16 * 1024

const task = z.string().regex(/^[A-Za-z0-9_-]{22}$/)
/** With a number behind it where one request made several entries. */
const reference = z.string().regex(/^[A-Za-z0-9_-]{22}(?:-[0-9]{1,2})?$/)

const erasure = z
  .strictObject({
    txn: task.optional().meta({ description: 'Every text of this task.' }),
    subject: z
      .string()
      .min(1)
      .max(512)
      .optional()
      .meta({ description: 'Every text of what was done on behalf of it.' }),
    ref: reference.optional().meta({ description: 'The texts of this one entry.' }),
  })
  .refine((body) => Object.keys(body).length === 1, {
    error: 'exactly one of txn, subject and ref',
  })

const erased = z.strictObject({
  entries: z.int().min(0).meta({ description: 'Entries whose texts are gone now.' }),
})

export const ERASURE_ROUTES: readonly Route[] = [
  route({
    method: 'POST',
    path: '/t/{tenant}/audit/erasures',
    name: 'erase_texts',
    event: 'audit',
    summary: 'Erases the texts that are kept of a task or a subject; the log stays as it is',
    roles: ['admin'],
    query: nothing,
    body: { schema: erasure, limit: SMALL_BODY },
    answers: { 200: { text: 'In no file any more. Asked again there is none.', schema: erased } },
    refusals: ['not_found'],
    handle: async (deps, { parameters, body, record }) => {
      const { tenant = '' } = parameters
      const entries = await eraseTexts(deps, { tenant, ...namedBy(body), record })
      return isManagementRefusal(entries) ? entries : { status: 200, body: { entries } }
    },
  }),
]

/** The schema has seen to it that there is exactly one. */
function namedBy({ txn, subject, ref = '' }: z.output<typeof erasure>) {
  if (txn !== undefined) return { of: 'txn', id: txn } as const
  if (subject !== undefined) return { of: 'subject', id: subject } as const
  return { of: 'ref', id: ref } as const
}
