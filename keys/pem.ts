/** PEM (RFC 7468), read strictly: one kind of block, and nothing but white space around them. */

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,32})-----([A-Za-z0-9+/=\s]*)-----END \1-----/g

/** DER of each block, in order. Undefined where there is none, or anything else than blocks of this label. */
export function readPem(
  text: string,
  label: 'CERTIFICATE' | 'X509 CRL',
): readonly Uint8Array[] | undefined {
  const blocks = [...text.matchAll(BLOCK)]
  const rest = text.replaceAll(BLOCK, '')
  if (blocks.length === 0 || rest.trim() !== '') return undefined
  if (blocks.some(([, found]) => found !== label)) return undefined
  return blocks.map(([, , body = '']) => new Uint8Array(Buffer.from(body, 'base64')))
}
