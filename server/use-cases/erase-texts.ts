/**
 * Erases what a tenant keeps of people's words: of one task, of all that was done for one subject, of one entry. The log stays as
 * it is; its digests tell nobody anything without the text.
 */
import { type ManagementRefusal, refuseManagement } from '../core/management-refusal.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { AuditLog, AuditPage, AuditRecords, Clock, Tenants } from './ports.ts'

export interface EraseTextsDeps {
  readonly clock: Clock
  readonly tenants: Tenants
  readonly audit: AuditLog
  readonly records: Pick<AuditRecords, 'walk' | 'eraseTexts'>
}

export interface EraseTextsInput {
  readonly tenant: string
  readonly of: 'txn' | 'subject' | 'ref'
  readonly id: string
  readonly record: DecisionRecord
}

/** Entries of a page, and entries erased in one pass over the texts. */
const A_PAGE = 256
const A_PASS = 10_000

/** Resolves with how many entries had texts, once those are nowhere and that is on record. Asked again it finds nothing. */
export async function eraseTexts(
  deps: EraseTextsDeps,
  input: EraseTextsInput,
): Promise<number | ManagementRefusal> {
  const { tenant, of, id, record } = input
  if (deps.tenants.find(tenant) === undefined) {
    return refuseManagement('not_found', 'tenant_unknown')
  }
  record.note({ query: { [of]: id }, ...(of === 'ref' ? {} : { [of]: id }) })
  const erased =
    of === 'ref' ? await deps.records.eraseTexts(tenant, [id]) : await eraseAll(deps, input)
  record.note({ texts_erased: erased })
  await deps.audit.append(record.permitted(deps.clock.now()))
  return erased
}

async function eraseAll(
  { records }: EraseTextsDeps,
  { tenant, of, id }: EraseTextsInput,
): Promise<number> {
  let erased = 0
  let refs: string[] = []
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: AuditPage = await records.walk(tenant, { [of]: id }, { limit: A_PAGE, after })
    // Only an entry with a digest ever had a text.
    refs.push(...page.entries.flatMap(({ entry }) => (entry?.digests ? [entry.ref] : [])))
    after = page.next
    if (refs.length < A_PASS && after !== undefined) continue
    if (refs.length > 0) erased += await records.eraseTexts(tenant, refs)
    refs = []
  }
  return erased
}
