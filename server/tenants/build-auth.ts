/** How an agent proves itself, of an entry that passed every check. */
import type { AgentAuth, CertificateSubject } from '../core/agent-auth.ts'
import { type AuthEntry, type AuthOf, CERTIFICATE_NAMES } from './agent-auth.ts'

export function buildAuth(entry: AuthEntry): AgentAuth {
  switch (entry.method) {
    case 'private_key_jwt':
      return {
        method: entry.method,
        jwks: entry.jwks ?? [],
        development: entry.development_keys === true,
      }
    case 'spiffe_jwt':
    case 'spiffe_x509':
      return { method: entry.method, spiffeId: entry.spiffe_id }
    case 'tls_client_auth':
      return { method: entry.method, authority: entry.authority, subject: subjectOf(entry) }
    case 'self_signed_tls_client_auth':
      return { method: entry.method, certificates: entry.certificates }
    case 'workload_jwt':
      return {
        method: entry.method,
        issuer: entry.issuer,
        claims: Object.entries(entry.claims).map(([pointer, values]) => ({ pointer, values })),
      }
    case 'attest_jwt_client_auth':
      return { method: entry.method, attester: entry.attester }
    case 'client_secret_basic':
    case 'client_secret_post':
      return { method: entry.method, secretHashes: entry.secret_sha256 }
  }
}

function subjectOf(entry: AuthOf<'tls_client_auth'>): CertificateSubject {
  for (const kind of CERTIFICATE_NAMES) {
    const value = entry[kind]
    if (value !== undefined) return { kind, value }
  }
  throw new TypeError('a checked entry has a name')
}
