/** A key of a SPIFFE bundle as an identity team writes it (SPIFFE Trust Domain and Bundle §4). Nothing of it is repeated. */
import { X509Certificate } from 'node:crypto'
import { hasPrivateMember } from './public-key.ts'

type Jwk = Readonly<Record<string, unknown>>

/** A sentence that says what is wrong; undefined if nothing is. */
export function findBundleFault(jwk: Jwk): string | undefined {
  if (hasPrivateMember(jwk)) {
    return 'private or symmetric key: only public keys belong here; treat this one as disclosed'
  }
  if (jwk['use'] === 'jwt-svid') {
    // §4.2.2: a JWT-SVID names its key.
    const { kid } = jwk
    return typeof kid === 'string' && kid !== '' ? undefined : 'a key for JWT-SVIDs needs a "kid"'
  }
  if (jwk['use'] === 'x509-svid') return findAuthorityFault(jwk['x5c'])
  return '"use" must be "jwt-svid" or "x509-svid"'
}

/** §4.2.2: exactly one certificate, of an authority. */
function findAuthorityFault(x5c: unknown): string | undefined {
  const [der, ...more] = Array.isArray(x5c) ? (x5c as readonly unknown[]) : []
  if (typeof der !== 'string' || more.length > 0) return '"x5c" must have exactly one certificate'
  try {
    const { ca } = new X509Certificate(Buffer.from(der, 'base64'))
    return ca ? undefined : 'this is no authority: its certificate may not sign others'
  } catch {
    return '"x5c" is not a valid certificate'
  }
}
