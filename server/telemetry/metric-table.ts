/**
 * Every metric of ours: its name, what it says, and its labels. Values of labels are names somebody configured or words of a
 * closed list; no text of a caller ever becomes one. docs/telemetry.md shows this table.
 */

export interface MetricRow {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  /** Of a histogram: upper ends. */
  readonly buckets?: readonly number[]
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const ENTRIES = [1, 2, 4, 8, 16, 32, 64]

export const METRICS = {
  build: {
    name: 'actchain_build_info',
    type: 'gauge',
    help: 'Always 1: which version runs, on which Node.',
    labels: ['version', 'node'],
  },
  requests: {
    name: 'actchain_requests_total',
    type: 'counter',
    help: 'Answered requests. reason is the public reason of a refusal, and none where there is none.',
    labels: ['endpoint', 'tenant', 'outcome', 'reason'],
  },
  requestSeconds: {
    name: 'actchain_request_duration_seconds',
    type: 'histogram',
    help: 'From the first look at a request to its answer.',
    labels: ['endpoint', 'outcome'],
    buckets: SECONDS,
  },
  publicRequests: {
    name: 'actchain_public_requests_total',
    type: 'counter',
    help: 'Answers of public documents and status lists, by class of the HTTP status.',
    labels: ['endpoint', 'status'],
  },
  tokensIssued: {
    name: 'actchain_tokens_issued_total',
    type: 'counter',
    help: 'Tokens whose entry is on record. way_in is none for tokens of the management API.',
    labels: ['tenant', 'way_in'],
  },
  revocations: {
    name: 'actchain_revocations_total',
    type: 'counter',
    help: 'Endings on record: of a token, a place, a task, or all of a subject or agent.',
    labels: ['tenant'],
  },
  feedListeners: {
    name: 'actchain_feed_listeners',
    type: 'gauge',
    help: 'Verifiers that listen to the feed of this process.',
    labels: [],
  },
  auditEntries: {
    name: 'actchain_audit_entries_total',
    type: 'counter',
    help: 'Entries this process put on record, by event code.',
    labels: ['tenant', 'code'],
  },
  commitEntries: {
    name: 'actchain_audit_commit_entries',
    type: 'histogram',
    help: 'Entries that shared one write.',
    labels: [],
    buckets: ENTRIES,
  },
  commitSeconds: {
    name: 'actchain_audit_commit_duration_seconds',
    type: 'histogram',
    help: 'One write of entries until it is on disk.',
    labels: [],
    buckets: SECONDS,
  },
  commitFailures: {
    name: 'actchain_audit_commit_failures_total',
    type: 'counter',
    help: 'Writes of entries that failed.',
    labels: [],
  },
  auditFailing: {
    name: 'actchain_audit_failing',
    type: 'gauge',
    help: '1 while the record cannot be written: nothing is issued.',
    labels: [],
  },
  journalOctets: {
    name: 'actchain_audit_journal_octets',
    type: 'gauge',
    help: 'Octets of revocations that wait in the journal for the record.',
    labels: [],
  },
  checkpointEntries: {
    name: 'actchain_audit_checkpoint_entries',
    type: 'gauge',
    help: 'Entries under the newest checkpoint this process signed.',
    labels: ['log'],
  },
  checkpointTime: {
    name: 'actchain_audit_checkpoint_timestamp_seconds',
    type: 'gauge',
    help: 'When this process signed its newest checkpoint. One is signed where there are new entries.',
    labels: ['log'],
  },
  auditDamaged: {
    name: 'actchain_audit_damaged',
    type: 'gauge',
    help: '1 for a log that does not fit its last checkpoint.',
    labels: ['log'],
  },
  anchorConflict: {
    name: 'actchain_audit_anchor_conflict',
    type: 'gauge',
    help: '1 for a log that does not fit what an anchor outside has of it.',
    labels: ['log'],
  },
  exportFailures: {
    name: 'actchain_trace_export_failures_total',
    type: 'counter',
    help: 'Batches of spans the collector did not take.',
    labels: [],
  },
} as const satisfies Record<string, MetricRow>
