/**
 * A tenant's version: a hash of all its files say, test cases too, so that a version's files are always the same. Comments,
 * order of members and spacing of YAML do not change it; order in lists does, because the root's lists keep it. Of policies
 * the text counts, because explanations name their lines.
 */
import { createHash } from 'node:crypto'

/** SHA-256, hex, of the parsed documents and the texts of policies by path, with members sorted (in the manner of RFC 8785). */
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
