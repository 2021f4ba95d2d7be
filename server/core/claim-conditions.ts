/** Conditions on the claims of a workload's token: each names one value by its place and says which texts it may be. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/src/strict-json.ts'
import type { ClaimCondition } from './agent-auth.ts'

const INDEX = /^(?:0|[1-9][0-9]{0,5})$/

/** False without any condition: nobody is everybody. */
export function areMet(conditions: readonly ClaimCondition[], claims: JsonObject): boolean {
  return (
    conditions.length > 0 &&
    conditions.every(({ pointer, values }) => {
      const text = textOf(valueAt(claims, pointer))
      return text !== undefined && values.includes(text)
    })
  )
}

/**
 * RFC 6901: the value a pointer leads to; undefined where it leads nowhere. Only members that were written are seen, never what
 * objects have by nature (attack case J07).
 */
export function valueAt(claims: JsonObject, pointer: string): JsonValue | undefined {
  if (!pointer.startsWith('/')) return undefined
  let value: JsonValue | undefined = claims
  for (const escaped of pointer.slice(1).split('/')) {
    // RFC 6901 §4: in this order.
    const name = escaped.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof value !== 'object' || value === null) return undefined
    if (isJsonObject(value)) value = Object.hasOwn(value, name) ? value[name] : undefined
    else value = INDEX.test(name) ? value[Number(name)] : undefined
  }
  return value
}

/** Numbers and booleans as JSON writes them; a number that JSON does not carry exactly is no text, nor is anything else. */
function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  return typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER
    ? JSON.stringify(value)
    : undefined
}
