/** Client certificates (RFC 8705 §2, X.509-SVID). */
import type { Tenant } from '../../core/tenant.ts'
import type { NamedClient, PresentedCredentials } from './credentials.ts'
import type { TrustMaterial } from './trust-material.ts'

export function authenticateCertificate(
  _tenant: Tenant,
  _trust: TrustMaterial,
  _presented: PresentedCredentials,
): NamedClient | string {
  return 'client_credentials_missing'
}
