/**
 * A small secret at rest: AES-256-GCM under a key derived from the operator's secret by scrypt.
 * The file's name is authenticated, so sealed files cannot be swapped. Written once, atomically, mode 0600.
 */
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'

const VERSION = 1
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** The sealed text at `path`; undefined if there is none. Throws if it was altered or the secret is another. */
export function readSealed(path: string, secret: string): string | undefined {
  const sealed = readIfThere(path)
  if (sealed === undefined) return undefined
  const nonceAt = 1 + SALT_BYTES
  const tagAt = nonceAt + NONCE_BYTES
  const bodyAt = tagAt + TAG_BYTES
  if (sealed[0] !== VERSION || sealed.length < bodyAt) throw unreadable(path)
  const key = deriveKey(secret, sealed.subarray(1, nonceAt))
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(nonceAt, tagAt))
  decipher.setAAD(Buffer.from(basename(path)))
  decipher.setAuthTag(sealed.subarray(tagAt, bodyAt))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(bodyAt)), decipher.final()]).toString()
  } catch {
    throw unreadable(path)
  }
}

/**
 * Seals `text` into a new file. False if the file was there already: another process was first, read its.
 * The file appears whole or not at all.
 */
export function createSealed(path: string, secret: string, text: string): boolean {
  const salt = randomBytes(SALT_BYTES)
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', deriveKey(secret, salt), nonce)
  cipher.setAAD(Buffer.from(basename(path)))
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  const sealed = Buffer.concat([Buffer.of(VERSION), salt, nonce, cipher.getAuthTag(), body])
  return createWhole(path, sealed)
}

/** Creates `path` with `content`, mode 0600, in one atomic step; false if it was there. */
export function createWhole(path: string, content: Uint8Array | string): boolean {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  writeFileSync(draft, content, { mode: 0o600, flag: 'wx', flush: true })
  try {
    linkSync(draft, path)
    return true
  } catch (fault) {
    if (hasCode(fault, 'EEXIST')) return false
    throw fault
  } finally {
    unlinkSync(draft)
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (fault) {
    if (hasCode(fault, 'ENOENT')) return undefined
    throw fault
  }
}

function deriveKey(secret: string, salt: Uint8Array): Buffer {
  return scryptSync(secret, salt, 32, { N: 16384, r: 8, p: 1 })
}

function hasCode(fault: unknown, code: string): boolean {
  return fault instanceof Error && 'code' in fault && fault.code === code
}

function unreadable(path: string): Error {
  return new Error(
    `${path} cannot be opened: it was altered, or ACTCHAIN_KEY_SECRET is not the one that sealed it`,
  )
}
