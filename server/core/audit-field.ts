/**
 * What an entry of the log can say, a sentence each, and which of the seven things an audit of agents has to have it is part of
 * (WIMSE AI agent authentication and authorization, its minimum for audit events).
 */

/** The seven, in the order of the draft. */
export const AUDIT_MINIMUM = {
  agent: 'the authenticated agent',
  subject: 'the subject it was delegated by',
  resource: 'the resource or tool',
  decision: 'the action asked for and the decision about it',
  when: 'time and correlation',
  state: 'attestation and risk as the decision saw them',
  remedy: 'what was revoked or put right, and why',
} as const

interface FieldRow {
  readonly part: keyof typeof AUDIT_MINIMUM
  readonly text: string
}

export const AUDIT_FIELDS = {
  time: { part: 'when', text: 'Seconds since the epoch. Always the first member of a line.' },
  ref: {
    part: 'when',
    text: 'Id of the decision: random, also `error_ref` of an error body and `ref` of the server log.',
  },
  traceparent: {
    part: 'when',
    text: 'W3C Trace Context, as the caller sent it and as far as it is well-formed.',
  },
  code: { part: 'decision', text: 'Event code, of the table above.' },
  event: { part: 'decision', text: 'At which of the server’s doors it happened.' },
  outcome: { part: 'decision', text: '`permit`, `refuse` or `ask`.' },
  action: { part: 'decision', text: 'The operation, where the door has several.' },
  reason: { part: 'decision', text: 'Public reason of a refusal ([errors.md](errors.md)).' },
  guard: { part: 'decision', text: 'The exact check that refused. It never leaves the server.' },
  tenant: { part: 'decision', text: 'Tenant id; `_platform` for what is no tenant’s.' },
  tenant_version: { part: 'decision', text: 'Version of the configuration that decided.' },
  policies: { part: 'decision', text: 'Ids of the rules that decided.' },
  obligations: { part: 'decision', text: 'What the rules bound the token to.' },
  client: { part: 'agent', text: 'The authenticated client: agent, resource server or receiver.' },
  client_auth: { part: 'agent', text: 'How it authenticated.' },
  credential: {
    part: 'agent',
    text: 'The credential’s own name: `kid`, thumbprint, SPIFFE ID, `sub` of a workload; of the management API, `jti` of its token.',
  },
  bound_by: { part: 'state', text: 'What it proved to hold: `dpop`, `mtls` or `none`.' },
  attester: {
    part: 'state',
    text: 'Who vouched for it: attester, workload issuer or trust domain; of a person, the identity provider.',
  },
  anomalies: {
    part: 'state',
    text: 'Signals that the triggers of the task’s type counted for this exchange; empty where none was.',
  },
  author: { part: 'agent', text: 'Who asked at the management API, or what acted by itself.' },
  roles: { part: 'agent', text: 'Roles of the author.' },
  subject: { part: 'subject', text: 'On whose behalf.' },
  way_in: { part: 'subject', text: 'By what right: `holder`, `recipient`, `root` or `client`.' },
  task_type: { part: 'subject', text: 'Type of the task.' },
  txn: { part: 'when', text: 'The task.' },
  parent_jti: { part: 'subject', text: '`jti` of the token it was made from, or of the root.' },
  jti: { part: 'decision', text: '`jti` of the token, or of the security event.' },
  chain: {
    part: 'subject',
    text: 'Agent ids from the root to the holder; of a refusal, of the token that was presented.',
  },
  target: { part: 'resource', text: 'URI of the resource.' },
  scope_before: { part: 'decision', text: 'Scopes of what was presented.' },
  scope_requested: { part: 'decision', text: 'Scopes asked for; absent: whatever there is.' },
  scope_after: { part: 'decision', text: 'Scopes of the token.' },
  expires_at: { part: 'decision', text: 'When the token ends, in seconds since the epoch.' },
  agent: { part: 'remedy', text: 'The agent that was changed, or whose tokens were revoked.' },
  place: { part: 'remedy', text: 'The place that was taken out: agent ids joined by `/`.' },
  revocation: { part: 'remedy', text: 'Id of a revocation over many tasks.' },
  tasks_reached: { part: 'remedy', text: 'Tasks it ended.' },
  places_reached: { part: 'remedy', text: 'Places it took out.' },
  ended_because: {
    part: 'remedy',
    text: 'Why, in words of the server’s own. A person’s are in `digests`.',
  },
  digests: {
    part: 'remedy',
    text: 'Salted SHA-256 of free texts, by name: `purpose` of the opener, `because` of whoever ended it, `input` of a tool.',
  },
  kid: { part: 'remedy', text: 'Name of a signing key.' },
  signs_from: { part: 'remedy', text: 'From when the key signs, in seconds since the epoch.' },
  version_before: { part: 'remedy', text: 'Version that was live.' },
  version_after: { part: 'remedy', text: 'Version that was stored, or is live now.' },
  changes: { part: 'remedy', text: 'What is different now, a line each.' },
  texts_erased: { part: 'remedy', text: 'How many kept texts were made unreadable.' },
  record: { part: 'when', text: 'The resource server’s own id of its record.' },
  recorded_at: { part: 'when', text: 'When the resource server says it happened.' },
  tool: { part: 'resource', text: 'The tool that was called.' },
  object: { part: 'resource', text: 'What it was called on.' },
  input_digest: { part: 'resource', text: 'Digest of the tool’s input.' },
  result: { part: 'decision', text: '`succeeded`, `failed` or `refused`, at the resource server.' },
  change_ref: { part: 'remedy', text: 'The resource server’s name of the change it made.' },
  query: { part: 'resource', text: 'What was asked of the log.' },
} as const satisfies Readonly<Record<string, FieldRow>>

export type AuditField = keyof typeof AUDIT_FIELDS

/** Fields that go together. */
export const COMMON = [
  'time',
  'code',
  'ref',
  'traceparent',
  'tenant',
  'tenant_version',
  'event',
  'outcome',
  'action',
] as const
export const CALLER = ['client', 'client_auth', 'credential', 'bound_by', 'attester'] as const
export const AUTHOR = ['author', 'roles', 'credential', 'bound_by'] as const
export const REFUSED = ['reason', 'guard'] as const
export const WHOSE = ['subject', 'task_type', 'txn'] as const
export const ASKED = [
  ...CALLER,
  ...WHOSE,
  'way_in',
  'parent_jti',
  'chain',
  'target',
  'scope_before',
  'scope_requested',
  'policies',
  'obligations',
  'anomalies',
  'digests',
] as const
export const ISSUED = [...ASKED, 'jti', 'scope_after', 'expires_at'] as const
export const ENDED = ['ended_because', 'digests'] as const
export const REACHED = ['revocation', 'agent', 'tasks_reached', 'places_reached'] as const
export const OF_KEY = ['kid', 'signs_from'] as const
export const OF_VERSION = ['version_before', 'version_after', 'changes'] as const
export const DONE_WITH = [
  'jti',
  'chain',
  'target',
  'record',
  'tool',
  'object',
  'input_digest',
  'result',
  'change_ref',
  'recorded_at',
  'digests',
] as const
