/**
 * Small secrets of others that are kept in the store: AES-256-GCM under a key derived once of the operator's secret. Each text
 * is sealed for one place and opens nowhere else.
 */
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'

export interface TextSeal {
  seal(place: string, text: string): string
  /** Undefined where it was altered, moved, or sealed under another secret. */
  open(place: string, sealed: string): string | undefined
}

const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Tells this use of the secret from the others. */
const SALT = 'actchain text-seal 1'

export function createTextSeal(secret: string): TextSeal {
  let derived: Buffer | undefined
  const key = (): Buffer => {
    derived ??= scryptSync(secret, SALT, 32, { N: 16384, r: 8, p: 1 })
    return derived
  }
  return {
    seal: (place, text) => {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key(), nonce).setAAD(Buffer.from(place))
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')
    },
    open: (place, sealed) => {
      const bytes = Buffer.from(sealed, 'base64url')
      if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined
      const [nonce, tag] = [
        bytes.subarray(0, NONCE_BYTES),
        bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES),
      ]
      const decipher = createDecipheriv('aes-256-gcm', key(), nonce)
      decipher.setAAD(Buffer.from(place)).setAuthTag(tag)
      try {
        const body = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES))
        return Buffer.concat([body, decipher.final()]).toString('utf8')
      } catch {
        return undefined
      }
    },
  }
}
