/**
 * What a slice's policies can read of a question, found once for the slice: every entity and attribute that is left out
 * saves the engine work, and what nobody reads cannot change an answer.
 */
import type { CompiledPolicy, EntityName } from './compiled-policy.ts'

export interface NeededFacts {
  /** Names of attributes, wherever they stand; undefined: everything. */
  readonly names: ReadonlySet<string> | undefined
  /** Members of the context that are read, in one order. */
  readonly members: readonly ContextMember[]
  /** Types of entities of which anything is read: facts, tags, or what they lie in. */
  readonly types: ReadonlySet<string>
  readonly tags: boolean
  readonly hierarchy: boolean
  readonly entities: readonly EntityName[]
}

const OPEN_MEMBERS = ['subject', 'key', 'now', 'weekday', 'request'] as const
const CALL_MEMBERS = [
  'scope',
  'subject',
  'task',
  'task_type',
  'basis',
  'opener',
  'chain',
  'chain_classes',
  'chain_owners',
  'depth',
  'key',
  'now',
  'weekday',
  'request',
] as const
export type ContextMember =
  | (typeof OPEN_MEMBERS)[number]
  | (typeof CALL_MEMBERS)[number]
  | 'recipient'

/** Attributes of each type of entity (schema.ts; a test holds the two together). */
export const ENTITY_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  User: ['issuer'],
  Agent: ['class', 'owner', 'purpose', 'binding'],
  Resource: ['kind', 'sensitivity', 'owner'],
  Scope: ['tier', 'sensitivity', 'resource'],
  TaskType: ['basis'],
  Task: ['type', 'opener', 'opened_at', 'deadline'],
}

/** Members the context of an action has (schema.ts; a test holds the two together). */
export function contextMembers(action: string): readonly ContextMember[] {
  if (action === 'open') return OPEN_MEMBERS
  return action === 'delegate' ? [...CALL_MEMBERS, 'recipient'] : CALL_MEMBERS
}

export function neededFacts(
  action: string,
  reads: readonly CompiledPolicy['reads'][],
): NeededFacts {
  const all = reads.some(({ names }) => names === undefined)
  const names = all ? undefined : new Set(reads.flatMap((some) => some.names ?? []))
  const isRead = (name: string): boolean => names?.has(name) ?? true
  const tags = reads.some((some) => some.tags)
  const hierarchy = reads.some((some) => some.hierarchy)
  const types = Object.entries(ENTITY_ATTRIBUTES).filter(
    ([type, attributes]) => hierarchy || (tags && type === 'User') || attributes.some(isRead),
  )
  const entities = reads.flatMap((some) => some.entities)
  const distinct = new Map(entities.map((entity) => [`${entity.type}::${entity.id}`, entity]))
  return {
    names,
    members: contextMembers(action).filter(isRead),
    types: new Set(types.map(([type]) => type)),
    tags,
    hierarchy,
    entities: [...distinct.values()],
  }
}
