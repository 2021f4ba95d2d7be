/**
 * Client certificates (RFC 8705 §2, X.509-SVID): whom a request with one names. Reading certificates is a large library, which is
 * loaded with the first that comes: who has none does not pay for it.
 */
import { parseSpiffeId } from '../../core/spiffe-id.ts'
import type { Agent, Tenant } from '../../core/tenant.ts'
import type { CertificateVerifier } from './certificate-verifier.ts'
import type { NamedClient, PresentedCredentials } from './credentials.ts'
import { findSpiffeAgent } from './spiffe-agents.ts'
import type { TrustMaterial } from './trust-material.ts'

/** Returns the validator of a tenant's client certificates. */
export function createCertificateValidator(
  tenant: Tenant,
  trust: TrustMaterial,
): (presented: PresentedCredentials) => NamedClient | string {
  let loaded: Promise<CertificateVerifier> | undefined
  const load = async (): Promise<CertificateVerifier> => {
    const { createCertificateVerifier } = await import('./certificate-verifier.ts')
    return createCertificateVerifier({ tenant, trust })
  }
  return ({ form, certificate, now }) => {
    if (certificate === undefined) return 'client_credentials_missing'
    const { client_id: clientId } = form
    // RFC 8705 §2: a certificate alone does not say which client it is.
    if (typeof clientId !== 'string' || clientId === '') return 'client_id_missing'
    const agent = findAgent(tenant, clientId)
    loaded ??= load()
    // Known or not, it is read and a signature is checked (attack case E11).
    const verified = loaded.then((verifier) =>
      verifier.verify({ agent, clientId, certificate, now }),
    )
    return { client: agent?.id ?? clientId, verified }
  }
}

/** By its id; a workload by its SPIFFE ID too (draft-ietf-oauth-spiffe-client-auth). */
function findAgent(tenant: Tenant, clientId: string): Agent | undefined {
  const id = parseSpiffeId(clientId)
  return id === undefined ? tenant.agents.get(clientId) : findSpiffeAgent(tenant, 'spiffe_x509', id)
}
