/** Client secrets (RFC 6749 §2.3.1), where a tenant has turned them on. */
import type { Tenant } from '../../core/tenant.ts'
import type { NamedClient, PresentedCredentials } from './credentials.ts'

export function authenticateSecret(
  _tenant: Tenant,
  _presented: PresentedCredentials,
): NamedClient | string {
  return 'client_credentials_missing'
}
