/**
 * The certificate a client proved in its TLS handshake, here or at a listed proxy. That it holds the key is certain;
 * nothing that is written in the certificate is believed yet.
 */
export interface PresentedCertificate {
  /** DER of the client's own certificate. */
  readonly der: Uint8Array
  /** RFC 8705 §3.1 `x5t#S256`: SHA-256 of the DER, base64url. */
  readonly thumbprint: string
  /** DER of what it sent beside, in its order: attacker-chosen, at most eight. */
  readonly chain: readonly Uint8Array[]
}
