/** Roles are granted to people who can sign in: those of a trusted issuer with a client for it. */
import { quote } from '../core/problem.ts'
import type { TenantEntries } from './entries.ts'
import { type Report, refuse } from './report.ts'

export function checkRoles(report: Report, { issuers, roles }: TenantEntries): void {
  if (issuers === undefined || roles === undefined) return
  const closed = new Set<unknown>(
    issuers.stated
      .filter(({ value }) => value['management_client'] === undefined)
      .map(({ value }) => value['id']),
  )
  const seen = new Set<string>()
  for (const { value, path } of roles.entries) {
    // One that is defined nowhere is a dangling reference, reported as such.
    if (closed.has(value.issuer)) {
      const text = `nobody can sign in at ${quote(value.issuer)}: it has no "management_client"`
      refuse(report, roles.document, [...path, 'issuer'], { text })
    }
    const grant = JSON.stringify([value.role, value.issuer, value.claim, value.value])
    if (seen.has(grant)) refuse(report, roles.document, path, { text: 'this is stated twice' })
    seen.add(grant)
  }
}
