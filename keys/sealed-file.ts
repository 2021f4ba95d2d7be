/**
 * A small secret at rest: AES-256-GCM under a key derived from the operator's secret by scrypt.
 * The file's name is authenticated, so sealed files cannot be swapped. Written once, atomically, mode 0600.
 */
import {
  createCipheriv,
  createDecipheriv,
  hash,
  randomBytes,
  scrypt,
  scryptSync,
} from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, unlinkSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { writeInRoom } from './spare-file.ts'

const VERSION = 1
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32
const COST = { N: 16384, r: 8, p: 1 } as const

/** Derived keys that are remembered: those of the files of one folder, and of a few more. */
const MOST_REMEMBERED = 16
/** By secret and salt. */
const remembered = new Map<string, Buffer>()
/** Of the files this process makes. They share it, so that many files cost one derivation and not one each. */
const OWN_SALT = randomBytes(SALT_BYTES)

/** The sealed text at `path`; undefined if there is none. Throws if it was altered or the secret is another. */
export function readSealed(path: string, secret: string): string | undefined {
  const parts = readParts(path)
  return parts && decrypt(path, parts, deriveKey(secret, parts.salt))
}

/** As `readSealed`; the work that is slow on purpose is done off the event loop. */
export async function openSealed(path: string, secret: string): Promise<string | undefined> {
  const parts = readParts(path)
  if (parts === undefined) return undefined
  const { salt } = parts
  const known = remembered.get(nameOf(secret, salt))
  const key = known ?? remember(secret, salt, await scryptAside(secret, salt))
  return decrypt(path, parts, key)
}

interface SealedParts {
  readonly salt: Buffer
  readonly nonce: Buffer
  readonly tag: Buffer
  readonly body: Buffer
}

function readParts(path: string): SealedParts | undefined {
  const sealed = readIfThere(path)
  if (sealed === undefined) return undefined
  const nonceAt = 1 + SALT_BYTES
  const tagAt = nonceAt + NONCE_BYTES
  const bodyAt = tagAt + TAG_BYTES
  if (sealed[0] !== VERSION || sealed.length < bodyAt) throw unreadable(path)
  return {
    salt: sealed.subarray(1, nonceAt),
    nonce: sealed.subarray(nonceAt, tagAt),
    tag: sealed.subarray(tagAt, bodyAt),
    body: sealed.subarray(bodyAt),
  }
}

function decrypt(path: string, { nonce, tag, body }: SealedParts, key: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAAD(Buffer.from(basename(path)))
  decipher.setAuthTag(tag)
  try {
    return Buffer.concat([decipher.update(body), decipher.final()]).toString()
  } catch {
    throw unreadable(path)
  }
}

/**
 * Seals `text` into a new file. False if the file was there already: another process was first, read its.
 * The file appears whole or not at all.
 */
export function createSealed(path: string, secret: string, text: string): boolean {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', deriveKey(secret, OWN_SALT), nonce)
  cipher.setAAD(Buffer.from(basename(path)))
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  const sealed = Buffer.concat([Buffer.of(VERSION), OWN_SALT, nonce, cipher.getAuthTag(), body])
  return createWhole(path, sealed)
}

/** Creates `path` with `content`, mode 0600, in one atomic step; false if it was there. */
export function createWhole(path: string, content: Uint8Array | string): boolean {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  writeInRoom(draft, content)
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

const nameOf = (secret: string, salt: Buffer): string =>
  hash('sha256', Buffer.concat([salt, Buffer.from(secret)]))

function remember(secret: string, salt: Buffer, key: Buffer): Buffer {
  const [oldest] = remembered.keys()
  if (oldest !== undefined && remembered.size >= MOST_REMEMBERED) remembered.delete(oldest)
  remembered.set(nameOf(secret, salt), key)
  return key
}

function deriveKey(secret: string, salt: Buffer): Buffer {
  const known = remembered.get(nameOf(secret, salt))
  return known ?? remember(secret, salt, scryptSync(secret, salt, KEY_BYTES, COST))
}

function scryptAside(secret: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, KEY_BYTES, COST, (fault, key) => {
      if (fault === null) resolve(key)
      else reject(fault)
    })
  })
}

function hasCode(fault: unknown, code: string): boolean {
  return fault instanceof Error && 'code' in fault && fault.code === code
}

function unreadable(path: string): Error {
  return new Error(
    `${path} cannot be opened: it was altered, or ACTCHAIN_KEY_SECRET is not the one that sealed it`,
  )
}
