/** The log of a tenant, read by its reviewers and by nobody else; every reading is an entry of it. */
import type { z } from 'zod'
import { encodeBase64 } from '../../../lib/src/audit/base64.ts'
import { isManagementRefusal, refuseMembers } from '../../core/management-refusal.ts'
import type { AuthorRole } from '../../use-cases/author.ts'
import { exportAudit } from '../../use-cases/export-audit.ts'
import { makeEvidence } from '../../use-cases/make-evidence.ts'
import type { AuditQuery, RecordedEntry } from '../../use-cases/ports.ts'
import {
  proveGrowth,
  readCheckpoint,
  readTaskStory,
  searchAudit,
} from '../../use-cases/read-audit.ts'
import { readAuditCursor, writeAuditCursor } from './audit-cursor.ts'
import {
  type auditFilters,
  auditQuery,
  checkpointText,
  entryList,
  evidenceBundle,
  exportedLines,
  exportQuery,
  grownLog,
  growthQuery,
  taskStory,
} from './audit-schemas.ts'
import { type Asked, type Route, route } from './route.ts'
import { MOST_ITEMS, nothing } from './schemas.ts'

const AUDIT = '/t/{tenant}/audit'
const TASK = `${AUDIT}/tasks/{txn}`
const REVIEWERS: readonly AuthorRole[] = ['reviewer']
const DEFAULT_LIMIT = 50
const LINES = 'application/jsonl'
const NOTE = 'text/plain; charset=utf-8'

const event = 'audit'

export const AUDIT_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: `${AUDIT}/entries`,
    name: 'search_audit',
    event,
    summary: 'Entries of the log, newest first',
    roles: REVIEWERS,
    query: auditQuery,
    answers: {
      200: {
        text: 'A page may be short, even empty, and go on: `next_cursor` says so.',
        schema: entryList,
      },
    },
    refusals: ['not_found'],
    handle: async (deps, asked) => {
      const { limit: most, cursor, ...filters } = asked.query
      const before = cursor === undefined ? undefined : readAuditCursor(cursor)
      if (cursor !== undefined && before === undefined) {
        return refuseMembers([{ pointer: '?cursor', text: 'is not one of this list' }])
      }
      const limit = Math.min(Number(most ?? DEFAULT_LIMIT), MOST_ITEMS)
      const query = queryOf(filters)
      const page = await searchAudit(deps, { ...requestOf(asked), query, page: { limit, before } })
      if (isManagementRefusal(page)) return page
      const items = page.entries.map(entryView)
      const { next } = page
      const body = next === undefined ? { items } : { items, next_cursor: writeAuditCursor(next) }
      return { status: 200, body }
    },
  }),
  route({
    method: 'GET',
    path: TASK,
    name: 'read_audit_task',
    event,
    summary: 'The story of a task: its entries, and what happened at each of its places',
    roles: REVIEWERS,
    query: nothing,
    answers: { 200: { text: 'As far as it has come.', schema: taskStory } },
    refusals: ['not_found'],
    handle: async (deps, asked) => {
      const told = await readTaskStory(deps, taskOf(asked))
      if (isManagementRefusal(told)) return told
      const { txn, places, task, isCut } = told
      const entries = told.entries.map(({ texts, ...recorded }) => {
        const view = entryView(recorded)
        return Object.keys(texts).length === 0 ? view : { ...view, texts }
      })
      return { status: 200, body: { txn, entries, places, task, is_cut: isCut } }
    },
  }),
  route({
    method: 'GET',
    path: `${TASK}/evidence`,
    name: 'read_audit_evidence',
    event,
    summary: 'A bundle that proves the entries of a task to whoever has no access here',
    roles: REVIEWERS,
    query: nothing,
    answers: { 200: { text: 'To be kept as it is.', schema: evidenceBundle } },
    refusals: ['not_found'],
    handle: async (deps, asked) => {
      const evidence = await makeEvidence(deps, taskOf(asked))
      return isManagementRefusal(evidence) ? evidence : { status: 200, body: evidence }
    },
  }),
  route({
    method: 'GET',
    path: `${AUDIT}/checkpoint`,
    name: 'read_audit_checkpoint',
    event,
    summary: 'A signed checkpoint over all there is of the log',
    roles: REVIEWERS,
    query: nothing,
    answers: { 200: { text: 'A signed note.', schema: checkpointText, type: NOTE } },
    refusals: ['not_found'],
    handle: async (deps, asked) => {
      const checkpoint = await readCheckpoint(deps, requestOf(asked))
      if (isManagementRefusal(checkpoint)) return checkpoint
      return { status: 200, type: NOTE, texts: justOne(checkpoint) }
    },
  }),
  route({
    method: 'GET',
    path: `${AUDIT}/consistency`,
    name: 'read_audit_consistency',
    event,
    summary: 'Proof that the log still begins with what an older checkpoint was signed over',
    roles: REVIEWERS,
    query: growthQuery,
    answers: { 200: { text: 'With a checkpoint of now.', schema: grownLog } },
    refusals: ['not_found'],
    handle: async (deps, asked) => {
      const from = Number(asked.query.from)
      const grown = await proveGrowth(deps, { ...requestOf(asked), from })
      if (isManagementRefusal(grown)) return grown
      return { status: 200, body: { ...grown, proof: grown.proof.map(encodeBase64) } }
    },
  }),
  route({
    method: 'GET',
    path: `${AUDIT}/export`,
    name: 'export_audit',
    event,
    summary: 'All entries that fit, oldest first, in a form other systems read',
    roles: REVIEWERS,
    query: exportQuery,
    answers: { 200: { text: 'A line for each entry.', schema: exportedLines, type: LINES } },
    refusals: ['not_found'],
    handle: async (deps, asked) => {
      const { format = 'jsonl', ...filters } = asked.query
      const query = queryOf(filters)
      const texts = await exportAudit(deps, { ...requestOf(asked), query, format })
      return isManagementRefusal(texts) ? texts : { status: 200, type: LINES, texts }
    },
  }),
]

type Query = Readonly<Record<string, string | undefined>>

function requestOf({ parameters, query, record }: Asked<Query, unknown>) {
  const { tenant = '', txn } = parameters
  const said = Object.entries({ ...query, txn: txn ?? query['txn'] })
  const asked = Object.fromEntries(said.flatMap(([name, value]) => (value ? [[name, value]] : [])))
  return { tenant, record, asked }
}

function taskOf(asked: Asked<Query, unknown>) {
  return { ...requestOf(asked), txn: asked.parameters['txn'] ?? '' }
}

function queryOf({ from, to, ...filters }: z.output<typeof auditFilters>): AuditQuery {
  return { ...filters, from: secondsOf(from), to: secondsOf(to) }
}

function secondsOf(instant: string | undefined): number | undefined {
  return instant === undefined ? undefined : Date.parse(instant) / 1000
}

function entryView({ index, entry }: Pick<RecordedEntry, 'index' | 'entry'>) {
  return { index, ...entry }
}

async function* justOne(text: string): AsyncGenerator<string> {
  yield text
}
