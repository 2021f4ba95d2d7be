/**
 * A private key that was made elsewhere, as a person brings it: PEM (PKCS #8, SEC 1, PKCS #1) or one JSON Web Key. Nothing of it is
 * ever repeated: what is wrong has a name.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { algorithmNamed, type SignatureAlgorithm } from './algorithm.ts'
import { createLocalSigner, type PrivateJwk, thumbprint } from './signer.ts'
import { readVerificationKey, verifySignature } from './verification-key.ts'

export interface ReadPrivateKey {
  readonly alg: SignatureAlgorithm
  readonly jwk: PrivateJwk
}

/** Why a key is not taken. */
export type PrivateKeyFault = 'key_malformed' | 'key_public' | 'key_unfit' | 'key_published'

/**
 * Thumbprints (RFC 7638) of keys whose private half anybody can read: the one oidc-provider prints in its source, and those of RFC
 * 7515 Appendix A.2 and A.3, RFC 7517 Appendix A.2, RFC 8037 Appendix A.
 */
const PUBLISHED: ReadonlySet<string> = new Set([
  'r1LkbBo3925Rb2ZFFrKyU3MVex9T2817Kx0vbi6i_Kc',
  'IsUn6_e04MaShXFIISMp4kG62LWzMIPy_MvSA5pJgX8',
  'oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U',
  'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
  'cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s',
  'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
])

const ALGORITHM_NAMES: readonly SignatureAlgorithm[] = ['ES256', 'EdDSA', 'RS256']
/** What is signed once to see that the two halves are of one key. */
const PROBE = 'probe'

/** Its type decides the algorithm; a JWK that names another is refused. */
export async function readPrivateKey(text: string): Promise<ReadPrivateKey | PrivateKeyFault> {
  const read = /^\s*\{/.test(text) ? readJwk(text) : readPem(text)
  if (typeof read === 'string') return read
  const { key, stated } = read
  const jwk = key.export({ format: 'jwk' }) as PrivateJwk
  const members = createPublicKey(key).export({ format: 'jwk' }) as Record<string, unknown>
  const sound = readVerificationKey({ ...members, ...stated }, ALGORITHM_NAMES)
  if (sound === undefined) return 'key_unfit'
  if (PUBLISHED.has(thumbprint(members))) return 'key_published'
  const alg = ALGORITHM_NAMES.find((name) => name === sound.alg)
  if (alg === undefined) return 'key_unfit'
  // A JWK states both halves, and nothing has compared them.
  const signature = await createLocalSigner(jwk, alg).sign(PROBE)
  const isOneKey = verifySignature(sound, PROBE, Buffer.from(signature, 'base64url'))
  return isOneKey ? { alg, jwk } : 'key_malformed'
}

interface Imported {
  readonly key: KeyObject
  /** What a JWK says it is for (RFC 7517 §4.2, §4.4). */
  readonly stated: Readonly<Record<string, unknown>>
}

function readPem(text: string): Imported | PrivateKeyFault {
  if (/-----BEGIN (?:PUBLIC KEY|RSA PUBLIC KEY|CERTIFICATE)-----/.test(text)) return 'key_public'
  try {
    const key = createPrivateKey({ key: text, format: 'pem' })
    return isOfOurKinds(key) ? { key, stated: {} } : 'key_unfit'
  } catch {
    return 'key_malformed'
  }
}

function readJwk(text: string): Imported | PrivateKeyFault {
  try {
    const jwk = JSON.parse(text) as Readonly<Record<string, unknown>>
    const { alg, use, key_ops: operations } = jwk
    if (jwk['kty'] === 'oct' || jwk['k'] !== undefined) return 'key_unfit'
    if (jwk['kty'] !== undefined && jwk['d'] === undefined) return 'key_public'
    if (alg !== undefined && algorithmNamed(alg) === undefined) return 'key_unfit'
    const maySign = Array.isArray(operations) && operations.includes('sign')
    if (operations !== undefined && !maySign) return 'key_unfit'
    const key = createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' })
    const stated = {
      ...(alg === undefined ? {} : { alg }),
      ...(use === undefined ? {} : { use }),
    }
    return isOfOurKinds(key) ? { key, stated } : 'key_unfit'
  } catch {
    return 'key_malformed'
  }
}

/** Others cannot even be written as a JWK. */
function isOfOurKinds({ asymmetricKeyType: type }: KeyObject): boolean {
  return type === 'ec' || type === 'ed25519' || type === 'rsa'
}
