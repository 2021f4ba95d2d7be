/** An issuer's own word on where its keys are (OpenID Connect Discovery 1.0 §4, RFC 8414 §3.3). */

/** §4.1: appended to the issuer, whose closing slash is dropped. */
export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
}

/** The address of the key set, not yet checked in any way; undefined where the document is not this issuer's. */
export function findKeySetUrl(issuer: string, document: unknown): string | undefined {
  if (typeof document !== 'object' || document === null) return undefined
  if (!Object.hasOwn(document, 'issuer') || !Object.hasOwn(document, 'jwks_uri')) return undefined
  const { issuer: named, jwks_uri: url } = document as Readonly<Record<string, unknown>>
  // §4.3: exactly the issuer it was asked of, or one issuer could speak for another.
  return named === issuer && typeof url === 'string' ? url : undefined
}
