/**
 * Salted digests of free text. The salt of each text is derived from the operator's secret: who reads the log cannot try words,
 * who holds a text can be shown that it is the one.
 */
import { createHmac, hash } from 'node:crypto'
import type { AuditEntry, TextName } from '../use-cases/ports.ts'
import type { DigestText } from './stored-entry.ts'

const SALT_OF = 'actchain audit text 1'

export interface TextDigests {
  readonly digest: DigestText
  /** Base64url; who holds it and the text can compute the digest. */
  salt(entry: Pick<AuditEntry, 'tenant' | 'ref'>, name: TextName): string
}

export function createTextDigests(secret: string): TextDigests {
  const key = createHmac('sha256', secret).update(SALT_OF).digest()
  const saltOf = ({ tenant, ref }: Pick<AuditEntry, 'tenant' | 'ref'>, name: TextName): Buffer =>
    createHmac('sha256', key)
      .update(JSON.stringify([tenant, ref, name]))
      .digest()
      .subarray(0, 16)
  return {
    digest: (entry, name, text) => {
      const salted = Buffer.concat([saltOf(entry, name), Buffer.from(text)])
      return `sha-256:${hash('sha256', salted, 'base64url')}`
    },
    salt: (entry, name) => saltOf(entry, name).toString('base64url'),
  }
}
