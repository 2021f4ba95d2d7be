/**
 * Project Wycheproof's vectors (https://github.com/C2SP/wycheproof), read from a checkout that WYCHEPROOF_DIR names. Nothing of
 * it is part of this project.
 */
import { createPublicKey } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '../../lib/src/strict-json.ts'

type Result = 'valid' | 'invalid' | 'acceptable'

interface Test {
  readonly tcId: number
  readonly result: Result
  /** An object where it is a JSON serialisation. */
  readonly jws?: string | object
  readonly jwe?: string | object
  /** Hexadecimal. */
  readonly msg?: string
  readonly sig?: string
}

interface Group {
  readonly public?: JsonObject
  readonly private?: JsonObject
  readonly publicKeyDer?: string
  readonly tests: readonly Test[]
}

interface Numbered {
  readonly file: string
  readonly tcId: number
  readonly result: Result
  /** What a JWKS of the signer would have. */
  readonly keys: readonly JsonObject[]
}

/** A whole token and the keys it is to be read with. */
export interface TokenVector extends Numbered {
  readonly token: string
}

/** A signature over bytes. The one key says its algorithm. */
export interface SignatureVector extends Numbered {
  readonly message: Buffer
  readonly signature: Uint8Array<ArrayBuffer>
}

/** The folder with the vectors; undefined where WYCHEPROOF_DIR is not set. Throws where that is no checkout. */
export function findVectors(checkout = process.env['WYCHEPROOF_DIR']): string | undefined {
  if (checkout === undefined || checkout === '') return undefined
  const folder = ['testvectors_v1', 'testvectors']
    .map((name) => join(checkout, name))
    .find((path) => existsSync(path))
  if (folder === undefined)
    throw new Error(
      'WYCHEPROOF_DIR has no folder testvectors_v1: name a checkout of C2SP/wycheproof',
    )
  return folder
}

const SECRETS: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi'])

/** What its owner would publish. A symmetric key has no public half: it stays what it is. */
function published(key: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(key).filter(([member]) => !SECRETS.has(member)))
}

function keysOf(group: Group): readonly JsonObject[] {
  const given = group.public ?? group.private ?? {}
  const keys = (given['keys'] as readonly JsonObject[] | undefined) ?? [given]
  return keys.map(published)
}

export function readTokens(folder: string, name: string): readonly TokenVector[] {
  return groupsOf(folder, name).flatMap((group) =>
    group.tests.map(({ tcId, result, jws, jwe }) => {
      const given = jws ?? jwe
      const token = typeof given === 'string' ? given : JSON.stringify(given)
      return { file: name, tcId, result, keys: keysOf(group), token }
    }),
  )
}

/** `alg`: what the keys of the file are for. */
export function readSignatures(
  folder: string,
  [name, alg]: readonly [string, string],
): readonly SignatureVector[] {
  return groupsOf(folder, name).flatMap(({ publicKeyDer, tests }) => {
    const der = Buffer.from(publicKeyDer ?? '', 'hex')
    const jwk = createPublicKey({ key: der, format: 'der', type: 'spki' }).export({ format: 'jwk' })
    const keys = [{ ...(jwk as JsonObject), alg }]
    return tests.map(({ tcId, result, msg = '', sig = '' }) => ({
      file: name,
      tcId,
      result,
      keys,
      message: Buffer.from(msg, 'hex'),
      signature: new Uint8Array(Buffer.from(sig, 'hex')),
    }))
  })
}

function groupsOf(folder: string, name: string): readonly Group[] {
  const text = readFileSync(join(folder, `${name}_test.json`), 'utf8')
  return (JSON.parse(text) as { readonly testGroups: readonly Group[] }).testGroups
}
