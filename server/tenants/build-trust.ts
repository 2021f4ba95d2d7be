/** Whom a tenant believes about workloads, of entries that passed every check. */
import type { Tenant } from '../core/tenant.ts'
import type {
  Attester,
  CertificateAuthority,
  TokenReview,
  TrustDomain,
  WorkloadIssuer,
  WorkloadKeys,
} from '../core/trust.ts'
import type {
  AttesterEntry,
  AuthorityEntry,
  TrustDomainEntry,
  WorkloadIssuerEntry,
} from './trust-file.ts'

export interface TrustEntries {
  readonly trustDomains: readonly TrustDomainEntry[]
  readonly authorities: readonly AuthorityEntry[]
  readonly workloadIssuers: readonly WorkloadIssuerEntry[]
  readonly attesters: readonly AttesterEntry[]
}

export function buildTrust(
  entries: TrustEntries,
): Pick<Tenant, 'trustDomains' | 'certificateAuthorities' | 'workloadIssuers' | 'attesters'> {
  return {
    trustDomains: new Map(entries.trustDomains.map((entry) => [entry.name, buildDomain(entry)])),
    certificateAuthorities: new Map(
      entries.authorities.map((entry) => [entry.id, buildAuthority(entry)]),
    ),
    workloadIssuers: new Map(
      entries.workloadIssuers.map((entry) => [entry.issuer, buildWorkloadIssuer(entry)]),
    ),
    attesters: new Map(entries.attesters.map((entry) => [entry.issuer, buildAttester(entry)])),
  }
}

function buildDomain(entry: TrustDomainEntry): TrustDomain {
  return {
    name: entry.name,
    bundle: bundleOf(entry),
    crl: entry.crl_file,
    maxLifetime: entry.max_lifetime,
  }
}

function bundleOf({ bundle_file: file, bundle_url: url, bundle }: TrustDomainEntry) {
  if (file !== undefined) return { file }
  if (url !== undefined) return { url }
  return { inline: { ...bundle } }
}

function buildAuthority(entry: AuthorityEntry): CertificateAuthority {
  return { id: entry.id, certificates: entry.certificates, crl: entry.crl_file }
}

function buildWorkloadIssuer(entry: WorkloadIssuerEntry): WorkloadIssuer {
  return {
    id: entry.id,
    kind: entry.kind,
    issuer: entry.issuer,
    keys: keysOf(entry),
    algorithms: entry.algorithms,
    maxLifetime: entry.max_lifetime,
    singleUse: entry.single_use,
    tokenReview: entry.kind === 'kubernetes' ? buildReview(entry.token_review) : undefined,
  }
}

function keysOf({ jwks, jwks_uri: jwksUri, issuer }: WorkloadIssuerEntry): WorkloadKeys {
  if (jwks !== undefined) return { jwks }
  return jwksUri === undefined ? { discover: issuer } : { jwksUri }
}

function buildReview(
  entry: Extract<WorkloadIssuerEntry, { kind: 'kubernetes' }>['token_review'],
): TokenReview | undefined {
  return entry && { url: entry.url, ca: entry.ca_file, token: entry.token_file }
}

function buildAttester(entry: AttesterEntry): Attester {
  return {
    id: entry.id,
    issuer: entry.issuer,
    keys: entry.jwks_uri === undefined ? { jwks: entry.jwks ?? [] } : { jwksUri: entry.jwks_uri },
    algorithms: entry.algorithms,
  }
}
