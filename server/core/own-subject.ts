/**
 * Whose a subject is (docs/chain-format.md §1): a trusted issuer speaks of the subjects under its prefix, and of nobody that an
 * issuer with a longer one speaks of; an agent is nobody's subject.
 */
import type { Tenant, TrustedIssuer } from './tenant.ts'

/** @param subject the tenant's own identifier, with the issuer's prefix */
export function isItsOwnSubject(tenant: Tenant, issuer: TrustedIssuer, subject: string): boolean {
  if (tenant.agents.has(subject) || tenant.resources.has(subject)) return false
  for (const { subjectPrefix: prefix } of tenant.trustedIssuers.values()) {
    // Its own is no longer than itself.
    if (prefix.length > issuer.subjectPrefix.length && subject.startsWith(prefix)) return false
  }
  return true
}
