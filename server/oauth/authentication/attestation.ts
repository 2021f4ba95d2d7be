/** Attestation-based client authentication. */
import type { Tenant } from '../../core/tenant.ts'
import type { NamedClient, PresentedCredentials } from './credentials.ts'
import type { TrustMaterial } from './trust-material.ts'

export function authenticateAttestation(
  _tenant: Tenant,
  _trust: TrustMaterial,
  _presented: PresentedCredentials,
): NamedClient | string {
  return 'client_credentials_missing'
}
