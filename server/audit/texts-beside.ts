/** The log of a server whose tenants keep texts: what is kept of an entry is on disk before the entry is. */
import type { AuditEntry, AuditLog, TextName, Texts } from '../use-cases/ports.ts'
import type { KeptTexts } from './kept-texts.ts'

export interface TextsBesideDeps {
  readonly audit: AuditLog
  readonly texts: Pick<KeptTexts, 'keep'>
  readonly logOf: (entry: AuditEntry) => string
  /** What a tenant keeps, as it is configured now; nothing where it cannot be told. */
  readonly keptBy: (tenant: string) => ReadonlySet<TextName>
}

export function withTexts({ audit, texts, logOf, keptBy }: TextsBesideDeps): AuditLog {
  const keep = async (entry: AuditEntry, said: Texts): Promise<void> => {
    const names = keptBy(entry.tenant)
    const kept = Object.entries(said).filter(([name]) => names.has(name as TextName))
    if (kept.length > 0) await texts.keep(logOf(entry), entry, Object.fromEntries(kept) as Texts)
  }
  return {
    append: async (entry) => {
      if (entry.texts !== undefined) await keep(entry, entry.texts)
      await audit.append(entry)
    },
    appendRevocation: async (entry) => {
      // Whoever ends something gets an answer though no text can be kept: its digest is on record.
      if (entry.texts !== undefined) await keep(entry, entry.texts).catch(() => {})
      await audit.appendRevocation(entry)
    },
    get isFailing() {
      return audit.isFailing
    },
  }
}
