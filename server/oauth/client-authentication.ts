/**
 * Client authentication: which validator judges a request's credentials. Decided by what the credential itself is and who signed
 * it; the client's one configured method has to agree (attack case E01). Every failure has one public reason; the guard goes
 * to the audit entry.
 */
import { isActive } from '../core/guards.ts'
import type { Tenant } from '../core/tenant.ts'
import { readAssertion } from './authentication/assertion-form.ts'
import { authenticateAttestation } from './authentication/attestation.ts'
import { createCertificateValidator } from './authentication/client-certificate.ts'
import { authenticateSecret } from './authentication/client-secret.ts'
import type { NamedClient, PresentedCredentials } from './authentication/credentials.ts'
import { createKeyValidator } from './authentication/private-key-jwt.ts'
import { authenticateSpiffeJwt } from './authentication/spiffe-jwt.ts'
import type { TrustMaterial } from './authentication/trust-material.ts'
import { authenticateWorkload } from './authentication/workload-jwt.ts'

export interface ClientAuthenticator {
  /** Whom the credentials name and whether they are theirs, or the guard that failed. */
  authenticate(presented: PresentedCredentials): NamedClient | string
}

export function createClientAuthenticator(
  tenant: Tenant,
  trust: TrustMaterial,
): ClientAuthenticator {
  const verifyKey = createKeyValidator(tenant)
  const verifyCertificate = createCertificateValidator(tenant, trust)

  function judge(presented: PresentedCredentials): NamedClient | string {
    const { form, now } = presented
    const { client_id: id } = form
    // The library then refuses it as what it is.
    if (id !== undefined && typeof id !== 'string') return 'client_id_repeated'
    const kinds = kindsOf(presented)
    // RFC 6749 §2.3, RFC 7523 §3.1: credentials that were sent are never ignored, so a second kind of them fails.
    if (kinds.length > 1) return 'two_methods'
    const [kind] = kinds
    if (kind === 'attestation') return authenticateAttestation(tenant, trust, presented)
    if (kind === 'secret') return authenticateSecret(tenant, presented)
    if (kind === undefined) return verifyCertificate(presented)
    const assertion = readAssertion(form, now)
    if (typeof assertion === 'string') return assertion
    if (assertion.type === 'jwt-spiffe') return authenticateSpiffeJwt(tenant, trust, assertion)
    const { iss } = assertion.jws.payload
    // An agent's id is no URL: nobody is both.
    if (typeof iss === 'string' && tenant.workloadIssuers.has(iss)) {
      return authenticateWorkload(tenant, trust, assertion)
    }
    const verified = verifyKey(assertion)
    return typeof verified === 'string' ? verified : { client: verified.client, verified }
  }

  return {
    authenticate(presented) {
      const named = judge(presented)
      if (typeof named === 'string') return named
      const { client, verified } = named
      const agent = tenant.agents.get(client)
      // Others are clients too; what is disabled or expired is an agent.
      if (agent === undefined || isActive(agent, presented.now)) return named
      if (!(verified instanceof Promise)) return 'agent_inactive'
      // It takes what it takes for an active one (attack case E11), and somebody awaits it.
      const refused = async (): Promise<string> => {
        const outcome = await verified
        return typeof outcome === 'string' ? outcome : 'agent_inactive'
      }
      return { client, verified: refused() }
    },
  }
}

/** A certificate is none of them: it may come with any, to bind tokens to. */
function kindsOf({ form, authorization, attestation, attestationProof }: PresentedCredentials) {
  const isSent = (name: string): boolean => form[name] !== undefined && form[name] !== ''
  const hasAssertion = isSent('client_assertion') || isSent('client_assertion_type')
  return [
    ...(hasAssertion ? ['assertion' as const] : []),
    ...(authorization !== undefined ? ['secret' as const] : []),
    ...(form['client_secret'] !== undefined ? ['secret' as const] : []),
    ...(attestation !== undefined || attestationProof !== undefined
      ? ['attestation' as const]
      : []),
  ]
}
