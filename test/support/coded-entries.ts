/** What is true of every entry of every log: its code is of the one table, and it has no field but those of its row. */
import { AUDIT_CODES, type AuditCode, codeOf } from '../../server/core/audit-code.ts'
import { COMMON } from '../../server/core/audit-field.ts'

const TABLE: Readonly<Record<string, AuditCode>> = AUDIT_CODES

/** What is wrong with these entries, a line each; nothing where all is well. */
export function faultsOf(entries: readonly Readonly<Record<string, unknown>>[]): readonly string[] {
  const faults = entries.flatMap((entry) => {
    const { code, event, outcome, action } = entry as Record<string, string>
    const row = TABLE[code ?? '']
    const what = `${event} ${outcome} ${action ?? ''}`
    if (row === undefined) return [`${what}: no such code as ${code}`]
    if (codeOf({ event: event ?? '', outcome: outcome ?? '', action }) !== code) {
      return [`${what}: ${code} is the code of something else`]
    }
    const known = new Set<string>([...COMMON, ...row.fields])
    const others = Object.keys(entry).filter((name) => !known.has(name))
    return others.map((name) => `${code}: has ${name}`)
  })
  return [...new Set(faults)]
}
