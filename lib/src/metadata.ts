/**
 * Protected resource metadata (RFC 9728 §2), made from a verifier's own configuration so that it says what the
 * resource does, and the place it is served from (§3.1).
 */
import type { VerifierFacts } from './options.ts'
import { SIGNATURE_ALGORITHMS } from './public-key.ts'
import { wellKnownUrl } from './url.ts'

/** No interface, and its lists are the caller's own: so it is what the MCP SDK's types call a document. */
export type ResourceMetadata = {
  readonly resource: string
  readonly authorization_servers: string[]
  readonly bearer_methods_supported: string[]
  readonly dpop_signing_alg_values_supported: string[]
  /** Absent where tokens without a key, or bound to a certificate alone, are accepted too. */
  readonly dpop_bound_access_tokens_required?: true
  readonly tls_client_certificate_bound_access_tokens?: true
  readonly scopes_supported?: string[]
  readonly resource_name?: string
}

export interface ResourceFacts {
  readonly scopes?: readonly string[]
  readonly name?: string
}

const WELL_KNOWN = 'oauth-protected-resource'

/** The document. Throws TypeError when the audience is no URL a resource may be named by. */
export function resourceMetadata(
  verifier: { readonly facts: VerifierFacts },
  { scopes = [], name }: ResourceFacts = {},
): ResourceMetadata {
  const { audience, issuer, bearer, certificateOf } = verifier.facts
  checkResource(audience)
  return {
    resource: audience,
    authorization_servers: [issuer],
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: [...SIGNATURE_ALGORITHMS],
    ...(bearer === 'refused' && certificateOf === undefined
      ? { dpop_bound_access_tokens_required: true as const }
      : {}),
    ...(certificateOf === undefined
      ? {}
      : { tls_client_certificate_bound_access_tokens: true as const }),
    // RFC 9728 §3.2: arrays are never empty.
    ...(scopes.length > 0 ? { scopes_supported: [...scopes] } : {}),
    ...(name === undefined ? {} : { resource_name: name }),
  }
}

/** Absolute URL of the document of a resource; its path is where to serve it. */
export function resourceMetadataUrl(audience: string): string {
  checkResource(audience)
  return wellKnownUrl(audience, WELL_KNOWN)
}

/** Path, and query if any, at which the document of a resource is served. */
export function resourceMetadataPath(audience: string): string {
  return resourceMetadataUrl(audience).slice(new URL(audience).origin.length)
}

function checkResource(audience: string): void {
  const url = URL.canParse(audience) ? new URL(audience) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || audience.includes('#'))
    throw new TypeError('the audience is not the URL of a resource')
}
