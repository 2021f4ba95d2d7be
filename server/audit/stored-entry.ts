/**
 * From what a use case says to what stands in the log: the event code is added, free texts become digests. No caller can leave
 * a text in: what is written is made here and nowhere else.
 */
import { codeOf } from '../core/audit-code.ts'
import type { AuditEntry, StoredEntry, TextName } from '../use-cases/ports.ts'

/** `sha-256:{base64url}` over the entry's own salt and the text. */
export type DigestText = (entry: AuditEntry, name: TextName, text: string) => string

export function toStored(entry: AuditEntry, digest: DigestText): StoredEntry {
  const { texts, ...rest } = entry
  const stored = Object.assign(rest, { code: codeOf(entry) })
  if (texts === undefined) return stored
  const digests = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, digest(entry, name as TextName, text)]),
  )
  return { ...stored, digests }
}
