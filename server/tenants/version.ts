/**
 * A tenant's version: a hash of what its files say. Comments, order of members and spacing do not change it;
 * order in lists does, because the root's lists keep it.
 */
import { createHash } from 'node:crypto'

/** SHA-256, hex, of the parsed documents by file name, with members sorted (in the manner of RFC 8785). */
export function readVersion(documents: Readonly<Record<string, unknown>>): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(documents)))
    .digest('hex')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]))
}
