/** SPIFFE JWT-SVIDs as client assertions (draft-ietf-oauth-spiffe-client-auth). */
import type { Tenant } from '../../core/tenant.ts'
import type { TypedAssertion } from './assertion-form.ts'
import type { NamedClient } from './credentials.ts'
import type { TrustMaterial } from './trust-material.ts'

export function authenticateSpiffeJwt(
  _tenant: Tenant,
  _trust: TrustMaterial,
  _assertion: TypedAssertion,
): NamedClient | string {
  return 'client_credentials_missing'
}
