/** The id of a version of a tenant's configuration: a hash of all its files say, so that who has the files has the version. */
import type { JsonObject, JsonValue } from '../strict-json.ts'
import { sha256, utf8 } from './bytes.ts'
import { hexOf } from './note.ts'

/** A tenant's YAML has twelve levels at most, its path one more. */
const MAX_DEPTH = 32

/** SHA-256, hex, of the documents by path, members sorted (in the manner of RFC 8785). Undefined: nested too deeply. */
export async function versionOf(documents: JsonObject): Promise<string | undefined> {
  if (!isWithin(documents, MAX_DEPTH)) return undefined
  return hexOf(await sha256(utf8(JSON.stringify(sorted(documents)))))
}

function isWithin(value: JsonValue, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((member: JsonValue) => isWithin(member, depth - 1))
}

function sorted(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  if (isList(value)) return value.map(sorted)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]))
}

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value)
