/**
 * Event codes: what an entry of the log is about, stable for whoever filters by them. The only list of them: docs/audit-events.md and
 * test/audit-events.test.ts derive from it. A code that was published never changes its meaning and never goes.
 */

import {
  ASKED,
  AUTHOR,
  type AuditField,
  CALLER,
  DONE_WITH,
  ENDED,
  ISSUED,
  OF_KEY,
  OF_VERSION,
  REACHED,
  REFUSED,
  WHOSE,
} from './audit-field.ts'

export interface AuditCode {
  /** What it stands for: `{event} {outcome}` of an entry, and its action where it has one. */
  readonly of: readonly string[]
  /** What happened, in a sentence. */
  readonly text: string
  /** What such an entry may have, beside what every entry has. */
  readonly fields: readonly AuditField[]
}

/** `permit` of `task` with each of these actions; without any, the door has none. */
const of = (event: string, outcome: 'permit' | 'refuse' | 'ask', actions = ''): readonly string[] =>
  actions.split(' ').map((action) => `${event} ${outcome} ${action}`.trimEnd())

const READINGS =
  'list_tenants read_tenant list_agents read_agent list_versions read_version list_keys list_usage explain'
const STREAM_CHANGES =
  'create_event_stream change_event_stream replace_event_stream delete_event_stream set_event_stream_status verify_event_stream'
const STREAM_READINGS = 'read_event_stream read_event_stream_status poll_events'
const LOG_READINGS =
  'search_audit read_audit_task export_audit read_audit_evidence read_audit_checkpoint read_audit_consistency'

export const AUDIT_CODES = {
  'token.issued': {
    of: of('token', 'permit'),
    text: 'An access token was issued.',
    fields: ISSUED,
  },
  'token.asked': {
    of: of('token', 'ask'),
    text: 'A token was asked for that needs the yes of a person; none was issued.',
    fields: [...ASKED, ...REFUSED],
  },
  'token.refused': {
    of: of('token', 'refuse'),
    text: 'A request for a token was refused.',
    fields: [...ASKED, ...REFUSED],
  },
  'token.withdrawn': {
    of: of('token', 'refuse', 'withdraw_token'),
    text: 'A token was decided and never left the server: its answer failed, or a crash came first. It is revoked.',
    fields: [...ISSUED, ...REFUSED, 'author', 'ended_because'],
  },
  'token.revoked': {
    of: of('revocation', 'permit'),
    text: 'The holder of a token revoked it, with all that was made from it.',
    fields: [...CALLER, ...WHOSE, 'jti', 'chain', 'target', 'ended_because'],
  },
  'token.revocation_refused': {
    of: of('revocation', 'refuse'),
    text: 'A revocation was refused, or had no effect.',
    fields: [...CALLER, ...WHOSE, ...REFUSED, 'jti', 'chain', 'target'],
  },
  'token.introspection_refused': {
    of: of('introspection', 'refuse'),
    text: 'A request for introspection was refused.',
    fields: [...CALLER, ...REFUSED],
  },
  'access.granted': {
    of: [...of('management', 'permit', 'sign_in'), ...of('token', 'permit', 'sign_in')],
    text: 'The operator, a person, an agent or a receiver of events signed in to the management API.',
    fields: [...ISSUED, 'author', 'roles'],
  },
  'access.refused': {
    of: [...of('management', 'refuse', 'sign_in'), ...of('token', 'refuse', 'sign_in')],
    text: 'A sign-in to the management API was refused.',
    fields: [...ISSUED, 'author', 'roles', ...REFUSED],
  },
  'task.closed': {
    of: of('task', 'permit', 'close_task'),
    text: 'A task was closed: its work is done.',
    fields: [...AUTHOR, ...WHOSE, ...ENDED],
  },
  'task.revoked': {
    of: of('task', 'permit', 'revoke_task trigger_revoke'),
    text: 'A task was revoked, by somebody or by a trigger of its type.',
    fields: [...AUTHOR, ...WHOSE, ...ENDED, 'client', 'place'],
  },
  'task.suspended': {
    of: of('task', 'permit', 'trigger_suspend'),
    text: 'A trigger of its type suspended a task.',
    fields: [...AUTHOR, ...WHOSE, ...ENDED, 'client', 'place'],
  },
  'task.resumed': {
    of: of('task', 'permit', 'resume_task'),
    text: 'A suspended task goes on.',
    fields: [...AUTHOR, ...WHOSE, ...ENDED],
  },
  'task.change_refused': {
    of: of('task', 'refuse', 'close_task revoke_task revoke_place resume_task'),
    text: 'To close, revoke or resume a task was refused.',
    fields: [...AUTHOR, ...WHOSE, ...REFUSED, 'place'],
  },
  'task.read_refused': {
    of: of('task', 'refuse', 'list_tasks read_task'),
    text: 'To read tasks was refused.',
    fields: [...AUTHOR, ...WHOSE, ...REFUSED],
  },
  'place.revoked': {
    of: of('task', 'permit', 'revoke_place'),
    text: 'A place was taken out of a task, with all beneath it.',
    fields: [...AUTHOR, ...WHOSE, ...ENDED, 'place'],
  },
  'tasks.revoked': {
    of: of('task', 'permit', 'revoke_everywhere resume_revocation'),
    text: 'All that an agent, a subject or a task type had was revoked; after a crash, the rest of it.',
    fields: [...AUTHOR, ...WHOSE, ...ENDED, ...REACHED],
  },
  'tasks.revocation_refused': {
    of: of('task', 'refuse', 'revoke_everywhere'),
    text: 'To revoke all of an agent, a subject or a task type was refused.',
    fields: [...AUTHOR, ...WHOSE, ...REFUSED, ...REACHED],
  },
  'tasks.reconciled': {
    of: of('task', 'permit', 'reconcile_tasks'),
    text: 'What no longer stood on the facts of the live version was revoked.',
    fields: [...AUTHOR, ...WHOSE, ...ENDED, ...REACHED],
  },
  'agent.disabled': {
    of: of('management', 'permit', 'disable_agent'),
    text: 'An agent was disabled by hand, and all it had was revoked.',
    fields: [...AUTHOR, ...ENDED, ...REACHED],
  },
  'agent.enabled': {
    of: of('management', 'permit', 'enable_agent'),
    text: 'That an agent is disabled by hand was lifted.',
    fields: [...AUTHOR, 'agent'],
  },
  'agent.change_refused': {
    of: of('management', 'refuse', 'set_agent_disabled disable_agent enable_agent'),
    text: 'To disable or enable an agent was refused.',
    fields: [...AUTHOR, ...REFUSED, 'agent'],
  },
  'key.created': {
    of: of('management', 'permit', 'create_key'),
    text: 'The first signing key of a tenant was made, or one in place of a key whose file is lost.',
    fields: [...AUTHOR, ...OF_KEY, 'ended_because'],
  },
  'key.planned': {
    of: of('management', 'permit', 'rotate_key'),
    text: 'A signing key was made and published; it signs once every verifier can have read it.',
    fields: [...AUTHOR, ...OF_KEY, 'version_after'],
  },
  'key.imported': {
    of: of('management', 'permit', 'import_key'),
    text: 'A signing key that was made elsewhere was published.',
    fields: [...AUTHOR, ...OF_KEY],
  },
  'key.killed': {
    of: of('management', 'permit', 'kill_key'),
    text: 'A signing key was declared stolen: nothing it signed counts any more.',
    fields: [...AUTHOR, ...OF_KEY, ...ENDED],
  },
  'key.change_refused': {
    of: of('management', 'refuse', 'rotate_key import_key kill_key'),
    text: 'To plan, import or kill a signing key was refused.',
    fields: [...AUTHOR, ...REFUSED, ...OF_KEY, 'digests'],
  },
  'tenant.loaded': {
    of: of('management', 'permit', 'load_tenant'),
    text: 'A server started, and this is the configuration it found live of the tenant.',
    fields: ['author', ...OF_VERSION],
  },
  'version.added': {
    of: of('management', 'permit', 'add_version'),
    text: 'Files of a tenant were stored as a version; nothing changed yet.',
    fields: [...AUTHOR, ...OF_VERSION],
  },
  'version.activated': {
    of: of('management', 'permit', 'activate_version'),
    text: 'A version became live.',
    fields: [...AUTHOR, ...OF_VERSION],
  },
  'version.change_refused': {
    of: of('management', 'refuse', 'add_version activate_version'),
    text: 'To store a version or to make one live was refused.',
    fields: [...AUTHOR, ...REFUSED, ...OF_VERSION],
  },
  'configuration.read_refused': {
    of: of('management', 'refuse', READINGS),
    text: 'To read configuration, keys or usage, or to have a case explained, was refused.',
    fields: [...AUTHOR, ...REFUSED],
  },
  'stream.changed': {
    of: of('security_event', 'permit', STREAM_CHANGES),
    text: 'A receiver made, changed, paused or removed its stream of security events.',
    fields: [...AUTHOR, 'client', 'changes', 'digests'],
  },
  'stream.change_refused': {
    of: of('security_event', 'refuse', STREAM_CHANGES),
    text: 'To change a stream of security events was refused.',
    fields: [...AUTHOR, ...REFUSED, 'client', 'changes', 'digests'],
  },
  'stream.read_refused': {
    of: of('security_event', 'refuse', STREAM_READINGS),
    text: 'To read a stream of security events was refused.',
    fields: [...AUTHOR, ...REFUSED, 'client'],
  },
  'event.not_taken': {
    of: [
      ...of('security_event', 'permit', 'poll_events'),
      ...of('security_event', 'refuse', 'push_event'),
    ],
    text: 'A receiver said of a security event that it does not take it.',
    fields: [...AUTHOR, ...REFUSED, 'client', 'jti', 'changes'],
  },
  'event.received': {
    of: of('security_event', 'permit', 'receive_event'),
    text: 'Another product said that a subject’s session or account ended: all its tasks were revoked.',
    fields: ['author', ...WHOSE, ...ENDED, ...REACHED, 'jti', 'changes'],
  },
  'event.passed_over': {
    of: of('security_event', 'refuse', 'receive_event'),
    text: 'A security event of another product had no effect here.',
    fields: ['author', ...WHOSE, ...REFUSED, 'jti', 'changes'],
  },
  'action.recorded': {
    of: of('record', 'permit', 'record_actions'),
    text: 'A resource server said what was done with a token.',
    fields: [...AUTHOR, ...CALLER, ...WHOSE, ...DONE_WITH],
  },
  'action.record_refused': {
    of: of('record', 'refuse', 'record_actions'),
    text: 'What a resource server said was not taken.',
    fields: [...AUTHOR, ...CALLER, ...WHOSE, ...DONE_WITH, ...REFUSED],
  },
  'audit.read': {
    of: of('audit', 'permit', LOG_READINGS),
    text: 'Somebody read the log.',
    fields: [...AUTHOR, 'txn', 'query'],
  },
  'audit.read_refused': {
    of: of('audit', 'refuse', LOG_READINGS),
    text: 'To read the log was refused.',
    fields: [...AUTHOR, ...REFUSED, 'txn', 'query'],
  },
  'audit.texts_erased': {
    of: of('audit', 'permit', 'erase_texts'),
    text: 'Kept texts were made unreadable for good; the log stays as it was.',
    fields: [...AUTHOR, 'txn', 'subject', 'query', 'texts_erased'],
  },
  'audit.erasure_refused': {
    of: of('audit', 'refuse', 'erase_texts'),
    text: 'To erase kept texts was refused.',
    fields: [...AUTHOR, ...REFUSED, 'txn', 'subject', 'query'],
  },
  'audit.fork_seen': {
    of: of('audit', 'refuse', 'witness_checkpoint'),
    text: 'A log that is witnessed here showed a checkpoint that does not follow from the one before.',
    fields: [...AUTHOR, ...REFUSED, 'changes'],
  },
} as const satisfies Readonly<Record<string, AuditCode>>

/** Of no row: the log takes the entry all the same. A test sees to it that nothing has it. */
export const UNLISTED = 'unlisted'

const CODES: ReadonlyMap<string, string> = new Map(
  Object.entries(AUDIT_CODES).flatMap(([code, row]) => row.of.map((what) => [what, code])),
)

interface Coded {
  readonly event: string
  readonly outcome: string
  readonly action?: string | undefined
}

export function codeOf({ event, outcome, action }: Coded): string {
  const what = action === undefined ? `${event} ${outcome}` : `${event} ${outcome} ${action}`
  return CODES.get(what) ?? UNLISTED
}
