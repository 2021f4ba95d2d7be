/**
 * Entries as events of the Open Cybersecurity Schema Framework, 1.5: each of the class that says what happened, with the whole
 * entry under `unmapped`, since no class has a place for a chain of agents.
 * Spec: https://schema.ocsf.io/1.5.0
 */
import type { ExportedEntry, IndexedExport } from './exported-entry.ts'

const VERSION = '1.5.0'
const OTHER = 99

/** Of category 3 (identity and access) and 6 (applications); the first digit of an id is its category. */
const CLASS = {
  authentication: 3002,
  authorizeSession: 3003,
  entityManagement: 3004,
  apiActivity: 6003,
} as const

type ClassName = keyof typeof CLASS

interface Kind {
  readonly className: ClassName
  /** Of the class; 99 is told apart by its name. */
  readonly activity: number
}

const kind = (className: ClassName, activity: number): Kind => ({ className, activity })

/** Activities of the classes, by their numbers there. */
const CREATE = 1
const READ = 2
const UPDATE = 3
const ENABLE = 8
const DISABLE = 9
const ACTIVATE = 10
const DEACTIVATE = 11
const SUSPEND = 12
const RESUME = 13
const LOGON = 1
const ASSIGN_PRIVILEGES = 1

/** By event code. Any other is something done at the management API. */
const KINDS: Readonly<Record<string, Kind>> = {
  'token.issued': kind('authorizeSession', ASSIGN_PRIVILEGES),
  'token.asked': kind('authorizeSession', ASSIGN_PRIVILEGES),
  'token.refused': kind('authorizeSession', ASSIGN_PRIVILEGES),
  'token.withdrawn': kind('authorizeSession', OTHER),
  'token.revoked': kind('authorizeSession', OTHER),
  'token.revocation_refused': kind('authorizeSession', OTHER),
  'access.granted': kind('authentication', LOGON),
  'access.refused': kind('authentication', LOGON),
  'task.closed': kind('entityManagement', DEACTIVATE),
  'task.revoked': kind('entityManagement', DEACTIVATE),
  'task.suspended': kind('entityManagement', SUSPEND),
  'task.resumed': kind('entityManagement', RESUME),
  'task.change_refused': kind('entityManagement', UPDATE),
  'place.revoked': kind('entityManagement', DEACTIVATE),
  'tasks.revoked': kind('entityManagement', DEACTIVATE),
  'tasks.revocation_refused': kind('entityManagement', DEACTIVATE),
  'tasks.reconciled': kind('entityManagement', DEACTIVATE),
  'agent.disabled': kind('entityManagement', DISABLE),
  'agent.enabled': kind('entityManagement', ENABLE),
  'agent.change_refused': kind('entityManagement', UPDATE),
  'key.created': kind('entityManagement', CREATE),
  'key.planned': kind('entityManagement', CREATE),
  'key.imported': kind('entityManagement', CREATE),
  'key.killed': kind('entityManagement', DEACTIVATE),
  'key.change_refused': kind('entityManagement', UPDATE),
  'version.added': kind('entityManagement', CREATE),
  'version.activated': kind('entityManagement', ACTIVATE),
  'version.change_refused': kind('entityManagement', UPDATE),
  'task.read_refused': kind('apiActivity', READ),
  'configuration.read_refused': kind('apiActivity', READ),
  'audit.read': kind('apiActivity', READ),
  'audit.read_refused': kind('apiActivity', READ),
}
const ANY = kind('apiActivity', OTHER)

/** 1 informational, 2 low, 3 medium, 4 high: what a trigger or a person stopped is worth a look. */
const SEVERITIES: Readonly<Record<string, number>> = {
  'task.suspended': 3,
  'task.revoked': 3,
  'place.revoked': 3,
  'tasks.revoked': 3,
  'token.withdrawn': 3,
  'agent.disabled': 3,
  'key.killed': 4,
  'audit.fork_seen': 4,
}

export function toOcsf({ index, entry }: IndexedExport): object {
  const { time, code, outcome, reason } = entry
  const { className, activity } = KINDS[code] ?? ANY
  const classId = CLASS[className]
  return {
    activity_id: activity,
    ...(activity === OTHER ? { activity_name: code } : {}),
    category_uid: Math.floor(classId / 1000),
    class_uid: classId,
    type_uid: classId * 100 + activity,
    time: Math.round(time * 1000),
    severity_id: SEVERITIES[code] ?? (outcome === 'permit' ? 1 : 2),
    ...statusOf(outcome, reason),
    metadata: metadataOf(index, entry),
    actor: actorOf(entry),
    ...BY_CLASS[className](entry),
    unmapped: entry,
  }
}

/** A person is asked before anything is decided: neither success nor failure. */
function statusOf(outcome: string, reason: string | undefined): object {
  const detail = reason === undefined ? {} : { status_detail: reason }
  if (outcome === 'ask') return { status_id: OTHER, status: 'Asked', ...detail }
  return { status_id: outcome === 'permit' ? 1 : 2, ...detail }
}

function metadataOf(index: number, { ref, tenant, code, txn }: ExportedEntry): object {
  return {
    version: VERSION,
    product: { name: 'Actchain', vendor_name: 'Actchain' },
    log_name: 'audit',
    event_code: code,
    sequence: index,
    tenant_uid: tenant,
    uid: ref,
    ...(txn === undefined ? {} : { correlation_uid: txn }),
  }
}

/** The program that asked, and the person it was for; of the management API whoever signed in. */
function actorOf({ client, author, subject }: ExportedEntry): object {
  const user = author ?? subject
  return {
    app_uid: client ?? 'actchain',
    ...(user === undefined ? {} : { user: { uid: user } }),
  }
}

/** What each class asks for beside what all have. */
const BY_CLASS: Readonly<Record<ClassName, (entry: ExportedEntry) => object>> = {
  authentication: ({ author, client, subject = author ?? client }) => ({
    user: { uid: subject ?? 'unknown' },
    service: { name: 'Actchain' },
  }),
  authorizeSession: ({ subject, client, scope_after, txn, expires_at, target }) => ({
    user: { uid: subject ?? client ?? 'unknown' },
    ...(scope_after === undefined ? {} : { privileges: scope_after }),
    ...(txn === undefined ? {} : { session: { uid: txn, ...expiryOf(expires_at) } }),
    ...(target === undefined ? {} : { dst_endpoint: { uid: target } }),
  }),
  entityManagement: (entry) => ({
    entity: entityOf(entry),
    ...(entry.ended_because === undefined ? {} : { comment: entry.ended_because }),
  }),
  apiActivity: ({ tool, action, event, client, author, target, object }) => ({
    api: { operation: tool ?? action ?? event },
    src_endpoint: { uid: client ?? author ?? 'unknown' },
    ...(target === undefined
      ? {}
      : { resources: [{ uid: target, ...(object === undefined ? {} : { name: object }) }] }),
  }),
}

function expiryOf(expiresAt: number | undefined): object {
  return expiresAt === undefined ? {} : { expiration_time: Math.round(expiresAt * 1000) }
}

/** The closest to what was changed that the entry names. */
function entityOf(entry: ExportedEntry): object {
  const { agent, kid, version_after: version, txn, subject, tenant } = entry
  const named = { Agent: agent, Key: kid, Version: version, Task: txn, User: subject }
  const found = Object.entries(named).find(([, id]) => id !== undefined)
  const [type, uid] = found ?? ['Tenant', tenant]
  return { type, uid }
}
