/** Builders of tasks, hops and versions for the store's tests: each shows only what matters. */
import type { KeyRecord } from '../../server/core/key-plan.ts'
import type {
  Activation,
  Ending,
  HopLimits,
  HopRecord,
  Revocation,
  RevocationScope,
  StatusLists,
  StoredVersion,
  TaskQuery,
  TaskRecord,
} from '../../server/use-cases/ports.ts'
import { STATUS_BITS } from '../../server/use-cases/task-store.ts'

export const NOW = 1_800_000_000

export function aSigningKey(parts: Partial<KeyRecord> = {}): KeyRecord {
  const { number = 1 } = parts
  const publicJwk = { kty: 'EC', kid: `key-${number}` }
  return {
    number,
    kid: `key-${number}`,
    alg: 'ES256',
    publicJwk,
    keeper: 'sealed',
    from: NOW,
    ...parts,
  }
}

export function aTask(parts: Partial<TaskRecord> = {}): TaskRecord {
  return {
    txn: 'task-1',
    type: 'reconcile',
    subject: 'alice',
    subjectFrom: { issuer: 'idp', claims: {} },
    subjectToken: { id: ['idp', 'jti:id-token-1'], expiresAt: NOW + 600 },
    opener: 'planner',
    purpose: undefined,
    rootJti: 'root-1',
    rootIdx: 0,
    scope: ['docs:read', 'crm:read'],
    reach: ['https://docs.example', 'https://as.example/t/acme/agents/planner'],
    maxDepth: 4,
    list: 'g1-1',
    openedAt: NOW,
    deadline: NOW + 900,
    state: 'open',
    ending: undefined,
    ...parts,
  }
}

export function aHop(parts: Partial<HopRecord> = {}): HopRecord {
  return {
    jti: 'first',
    idx: 1,
    parent: 'root-1',
    place: 'planner',
    holder: 'planner',
    audience: 'https://as.example/t/acme/agents/planner',
    owner: 'planner',
    scope: 3,
    reach: 3,
    issuedAt: NOW,
    expiresAt: NOW + 300,
    revoked: false,
    ...parts,
  }
}

export function limits(parts: Partial<HopLimits> = {}): HopLimits {
  return { now: NOW, tokensPerPlace: 100, tokensPerTask: 100, ...parts }
}

export function aVersion(version: string, parts: Partial<StoredVersion> = {}): StoredVersion {
  return {
    version,
    author: 'operator',
    createdAt: NOW,
    note: undefined,
    sources: { 'agents.yaml': `agents of ${version}` },
    compiled: `compiled ${version}`,
    ...parts,
  }
}

export function anActivation(version: string, parts: Partial<Activation> = {}): Activation {
  const nobody: readonly string[] = []
  return {
    version,
    expected: undefined,
    agentsBefore: nobody,
    agentsAfter: nobody,
    by: 'operator',
    at: NOW,
    ...parts,
  }
}

/** A permit on record for the hop. */
export const anEntry = (jti: string, txn = 'task-1') =>
  ({
    time: NOW,
    ref: `ref-${jti}`,
    tenant: 'acme',
    tenant_version: 'v1',
    event: 'token',
    outcome: 'permit',
    txn,
    jti,
  }) as const

export const anEnding = (parts: Partial<Ending> = {}): Ending => ({
  at: NOW + 1,
  by: 'idp:alice',
  reason: 'looked wrong',
  ...parts,
})

export function aRevocation(
  scope: RevocationScope,
  parts: Partial<Omit<Revocation, 'scope'>> = {},
): Revocation {
  return { id: 'revocation-1', scope, ending: anEnding(), ...parts }
}

export function aQuery(parts: Partial<TaskQuery> = {}): TaskQuery {
  const anything = { state: undefined, agent: undefined, opener: undefined, subject: undefined }
  return { ...anything, now: NOW, limit: 100, after: undefined, ...parts }
}

/** Status of an index as a verifier reads it (Token Status List, Compressed Byte Array). */
export function statusIn(lists: StatusLists, idx: number, list = 'g1-1', tenant = 'acme'): number {
  const content = lists.read(tenant, list)
  if (content === undefined) throw new Error('no such list')
  const bit = idx * STATUS_BITS
  return ((content.statuses[bit >> 3] ?? 0) >> (bit & 7)) & (2 ** STATUS_BITS - 1)
}
