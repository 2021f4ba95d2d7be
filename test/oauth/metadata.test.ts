/** What the metadata says of authentication: what this tenant's clients can use on this server, and nothing else. */
import { describe, expect, test } from 'vitest'
import type { AgentAuth } from '../../server/core/agent-auth.ts'
import { createMetadata } from '../../server/oauth/metadata.ts'
import { anAgent, aTenant } from '../core/facts.ts'

const AUTHS: readonly AgentAuth[] = [
  { method: 'private_key_jwt', jwks: [], development: false },
  { method: 'spiffe_jwt', spiffeId: 'spiffe://prod.acme.example/a' },
  { method: 'spiffe_x509', spiffeId: 'spiffe://prod.acme.example/b' },
  {
    method: 'tls_client_auth',
    authority: 'corp',
    subject: { kind: 'san_dns', value: 'c.acme.example' },
  },
  { method: 'self_signed_tls_client_auth', certificates: [] },
  { method: 'workload_jwt', issuer: 'cluster-1', claims: [] },
  { method: 'attest_jwt_client_auth', attester: 'acme-attester' },
  { method: 'client_secret_basic', secretHashes: [] },
]
const tenant = aTenant({
  agents: AUTHS.map((auth) => anAgent(auth.method.replaceAll('_', '-'), { auth })),
})
const ENDPOINTS = ['token', 'introspection', 'revocation']

function methodsOf(metadata: Readonly<Record<string, unknown>>): readonly unknown[] {
  return ENDPOINTS.map((endpoint) => metadata[`${endpoint}_endpoint_auth_methods_supported`])
}

describe('methods of authentication', () => {
  test('are those of the tenant’s agents, and keys, which every other client has', () => {
    const all = [
      'attest_jwt_client_auth',
      'client_secret_basic',
      'private_key_jwt',
      'self_signed_tls_client_auth',
      'spiffe_jwt',
      'spiffe_x509',
      'tls_client_auth',
    ]
    const metadata = createMetadata({ seesCertificates: true })(tenant)
    expect(methodsOf(metadata)).toEqual([all, all, all])
    const keys = ['private_key_jwt']
    const plain = createMetadata({ seesCertificates: true })(aTenant())
    expect(methodsOf(plain)).toEqual([keys, keys, keys])
  })

  test('none is by certificate where TLS ends before us, and no token is bound to one', () => {
    const metadata = createMetadata({ seesCertificates: false })(tenant)
    const rest = ['attest_jwt_client_auth', 'client_secret_basic', 'private_key_jwt', 'spiffe_jwt']
    expect(methodsOf(metadata)).toEqual([rest, rest, rest])
    expect(metadata).not.toHaveProperty('tls_client_certificate_bound_access_tokens')
    const withTls = createMetadata({ seesCertificates: true })(tenant)
    expect(withTls).toHaveProperty('tls_client_certificate_bound_access_tokens', true)
  })

  test('are made once for a version of the tenant', () => {
    const metadataOf = createMetadata({ seesCertificates: true })
    expect(metadataOf(tenant)).toBe(metadataOf(tenant))
  })
})
