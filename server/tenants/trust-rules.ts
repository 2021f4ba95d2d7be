/**
 * Trust domains, authorities, issuers of workload tokens and attesters: each stated once, its material from exactly one place, none
 * of them this server, and none of them a trusted issuer too, whose tokens would then be a user's and a workload's at once.
 */
import { quote } from '../core/problem.ts'
import { findBundleFault } from './bundle.ts'
import { describeCertificate } from './certificate.ts'
import { warnOfDates } from './certificate-dates.ts'
import type { Listing, TenantEntries } from './entries.ts'
import type { Path } from './place.ts'
import { type Report, refuse } from './report.ts'
import type {
  AttesterEntry,
  AuthorityEntry,
  TrustDomainEntry,
  WorkloadIssuerEntry,
} from './trust-file.ts'
import { checkIds, checkOnce } from './unique.ts'
import { findIssuerFault, findUriFault, isUnder, withoutSlash } from './uri.ts'
import { checkUri } from './uri-rules.ts'
import type { YamlDocument } from './yaml-document.ts'

/** @param at the server's public URL; `now` in seconds since the epoch, for warnings only */
export function checkTrust(
  report: Report,
  { trustDomains, authorities, workloadIssuers, attesters, issuers }: TenantEntries,
  at: { readonly publicUrl: string; readonly now: number },
): void {
  if (trustDomains !== undefined) checkTrustDomains(report, trustDomains, at.publicUrl)
  if (authorities !== undefined) checkAuthorities(report, authorities, at.now)
  if (workloadIssuers !== undefined) {
    const trusted = new Set(issuers?.entries.map(({ value }) => withoutSlash(value.issuer)))
    checkWorkloadIssuers(report, workloadIssuers, { publicUrl: at.publicUrl, trusted })
  }
  if (attesters !== undefined) checkAttesters(report, attesters, at.publicUrl)
}

function checkTrustDomains(
  report: Report,
  domains: Listing<TrustDomainEntry>,
  publicUrl: string,
): void {
  const { document, entries } = domains
  checkOnce(report, domains, ({ value }) => ({
    member: 'name',
    name: value.name,
    text: `trust domain ${quote(value.name)} is defined twice`,
  }))
  // SPIFFE Trust Domain and Bundle §5.2.1: keys of one domain never speak for another.
  for (const member of ['bundle_file', 'bundle_url'] as const) {
    checkOnce(report, domains, ({ value }) => ({
      member,
      name: value[member],
      text: 'another trust domain has this bundle: each signs with keys of its own',
    }))
  }
  for (const { value, path } of entries) {
    const { bundle_file: file, bundle_url: url, bundle } = value
    if ([file, url, bundle].filter((stated) => stated !== undefined).length !== 1) {
      const text = 'state exactly one of "bundle_file", "bundle_url", "bundle"'
      refuse(report, document, path, { text })
    }
    if (url !== undefined) {
      const place = [...path, 'bundle_url']
      checkAddress(report, document, { path: place, uri: url, publicUrl })
    }
    for (const [index, key] of (bundle?.keys ?? []).entries()) {
      const text = findBundleFault(key)
      if (text !== undefined) refuse(report, document, [...path, 'bundle', 'keys', index], { text })
    }
  }
}

function checkAuthorities(report: Report, authorities: Listing<AuthorityEntry>, now: number): void {
  const { document, entries } = authorities
  checkIds(report, authorities, 'certificate authority')
  for (const { value, path } of entries) {
    for (const [index, der] of value.certificates.entries()) {
      if (describeCertificate(der).isAuthority) continue
      const text = 'this is no authority: its certificate may not sign others'
      refuse(report, document, [...path, 'certificates', index], { text })
    }
    warnOfDates(report, document, { path, certificates: value.certificates, now })
  }
}

function checkWorkloadIssuers(
  report: Report,
  workloads: Listing<WorkloadIssuerEntry>,
  { publicUrl, trusted }: { readonly publicUrl: string; readonly trusted: ReadonlySet<string> },
): void {
  const { document, entries } = workloads
  checkIds(report, workloads, 'workload issuer')
  checkIssuers(report, workloads, { noun: 'workload issuer', publicUrl })
  for (const { value, path } of entries) {
    if (trusted.has(withoutSlash(value.issuer))) {
      const text = 'a trusted issuer has this issuer: its tokens would be of users and of agents'
      refuse(report, document, [...path, 'issuer'], { text })
    }
    if (value.jwks_uri !== undefined && value.jwks !== undefined) {
      refuse(report, document, path, { text: 'state "jwks_uri" or "jwks", not both' })
    }
    if (value.kind !== 'kubernetes' || value.token_review === undefined) continue
    const { url } = value.token_review
    const place = [...path, 'token_review', 'url']
    checkAddress(report, document, { path: place, uri: url, publicUrl })
    if (!URL.canParse(url) || new URL(url).origin === url) continue
    const text = 'expected an origin: scheme, host and port alone'
    refuse(report, document, place, { text, suggestion: new URL(url).origin })
  }
}

function checkAttesters(
  report: Report,
  attesters: Listing<AttesterEntry>,
  publicUrl: string,
): void {
  checkIds(report, attesters, 'attester')
  checkIssuers(report, attesters, { noun: 'attester', publicUrl })
  for (const { value, path } of attesters.entries) {
    if ((value.jwks_uri === undefined) !== (value.jwks === undefined)) continue
    refuse(report, attesters.document, path, { text: 'state either "jwks_uri" or "jwks"' })
  }
}

function checkIssuers(
  report: Report,
  listing: Listing<{ readonly issuer: string; readonly jwks_uri?: string | undefined }>,
  { noun, publicUrl }: { readonly noun: string; readonly publicUrl: string },
): void {
  const { document, entries } = listing
  checkOnce(report, listing, ({ value }) => ({
    member: 'issuer',
    name: withoutSlash(value.issuer),
    text: `another ${noun} has this issuer`,
  }))
  for (const { value, path } of entries) {
    const place = [...path, 'issuer']
    checkUri(report, document, { path: place, uri: value.issuer, find: findIssuerFault })
    if (isUnder(value.issuer, publicUrl)) {
      refuse(report, document, place, { text: `this server is no ${noun} to itself` })
    }
    if (value.jwks_uri === undefined) continue
    const at = { path: [...path, 'jwks_uri'], uri: value.jwks_uri, publicUrl }
    checkAddress(report, document, at)
  }
}

function checkAddress(
  report: Report,
  document: YamlDocument,
  {
    path,
    uri,
    publicUrl,
  }: { readonly path: Path; readonly uri: string; readonly publicUrl: string },
): void {
  checkUri(report, document, { path, uri, find: findUriFault })
  if (!isUnder(uri, publicUrl)) return
  refuse(report, document, path, { text: 'URIs under this server are its own' })
}
