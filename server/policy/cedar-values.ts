/** Values in the JSON form the engine takes. Only this file writes one that refers to an entity or is no plain value. */
import type { CedarValueJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs'
import type { EntityName } from './compiled-policy.ts'

export function named(type: string, id: string): TypeAndId {
  return { type, id }
}

export function reference(type: string, id: string): { readonly __entity: TypeAndId } {
  return { __entity: { type, id } }
}

/** The entity a value refers to; undefined for any other value. */
export function referred(value: CedarValueJson): EntityName | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return '__entity' in value ? (value as { __entity: TypeAndId }).__entity : undefined
}

/** @param seconds since the epoch */
export function instant(seconds: number): CedarValueJson {
  return { __extn: { fn: 'datetime', arg: new Date(seconds * 1000).toISOString() } }
}
