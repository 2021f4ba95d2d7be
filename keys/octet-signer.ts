/** Signs octets that are no JWS: checkpoints of an audit log, and cosignatures of others' (Ed25519, RFC 8032). */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { type KeyringPlace, openPrivateJwk } from './keyring.ts'

export interface OctetSigner {
  /** 32 octets (RFC 8032 §5.1.5). */
  readonly publicKey: Uint8Array
  /** 64 octets. */
  readonly sign: (octets: Uint8Array) => Uint8Array
}

/** Opens the owner's one key, making it on first use. Two processes that start together agree on one. */
export function openOctetSigner(place: KeyringPlace): OctetSigner {
  const key = createPrivateKey({ key: openPrivateJwk(place, 'EdDSA'), format: 'jwk' })
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
  return {
    publicKey: Buffer.from(x, 'base64url'),
    sign: (octets) => sign(null, octets, key),
  }
}
