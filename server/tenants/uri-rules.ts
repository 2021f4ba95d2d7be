/**
 * URIs in their one spelling, and none of our own among them. Our issuers are never a trusted issuer or a
 * resource: a token of ours must not be taken for a foreign one (docs/chain-format.md §3).
 */
import type { Listing, TenantEntries } from './entries.ts'
import type { Path } from './place.ts'
import { type Report, refuse } from './report.ts'
import type { ResourceEntry } from './resources-file.ts'
import type { IssuerEntry } from './tenant-file.ts'
import { findCanonicalUri, findIssuerFault, findUriFault, isUnder } from './uri.ts'
import type { YamlDocument } from './yaml-document.ts'

export function checkUris(report: Report, entries: TenantEntries, publicUrl: string): void {
  const { issuers, resources } = entries
  if (issuers !== undefined) checkTrustedIssuers(report, issuers, publicUrl)
  if (resources !== undefined) checkResourceUris(report, resources, publicUrl)
}

function checkTrustedIssuers(
  report: Report,
  { document, entries }: Listing<IssuerEntry>,
  publicUrl: string,
): void {
  for (const { value, path } of entries) {
    checkUri(report, document, {
      path: [...path, 'issuer'],
      uri: value.issuer,
      find: findIssuerFault,
    })
    if (isUnder(value.issuer, publicUrl)) {
      const text = 'this server is never a trusted issuer: its own tokens are exchanged as such'
      refuse(report, document, [...path, 'issuer'], { text })
    }
    if ((value.jwks_uri === undefined) === (value.jwks === undefined)) {
      refuse(report, document, path, { text: 'state either "jwks_uri" or "jwks"' })
    }
    if (value.jwks_uri !== undefined) {
      checkUri(report, document, {
        path: [...path, 'jwks_uri'],
        uri: value.jwks_uri,
        find: findUriFault,
      })
    }
  }
}

function checkResourceUris(
  report: Report,
  { document, entries }: Listing<ResourceEntry>,
  publicUrl: string,
): void {
  for (const { value, path } of entries) {
    const place = [...path, 'uri']
    checkUri(report, document, { path: place, uri: value.uri, find: findUriFault })
    // The management audience and the agents' generated homes are there.
    if (isUnder(value.uri, publicUrl)) {
      refuse(report, document, place, { text: 'URIs under this server are its own' })
    }
  }
}

export function checkUri(
  report: Report,
  document: YamlDocument,
  from: { path: Path; uri: string; find: (uri: string) => string | undefined },
): void {
  const { path, uri, find } = from
  const text = find(uri)
  if (text === undefined) return
  const suggestion = text === 'not in canonical form' ? findCanonicalUri(uri) : undefined
  refuse(report, document, path, { text, suggestion })
}
