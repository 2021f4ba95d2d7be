/**
 * The operator's key: `{data}/operator.jwk`, made at the first start. Whoever can read that file manages every tenant; the
 * server itself needs the public half alone. To keep the private one elsewhere, leave a public JWK in its place; for a new
 * key remove the file and start again.
 */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createWhole } from '../keys/sealed-file.ts'
import { createLocalSigner, generatePrivateJwk } from '../keys/signer.ts'
import { readVerificationKey } from '../keys/verification-key.ts'
import type { PublicJwk } from './core/tenant.ts'
import { StartRefused } from './start-refused.ts'

/** Public members only. Two processes that start together agree on one key. */
export function ensureOperatorKey(dataFolder: string): PublicJwk {
  const path = join(dataFolder, 'operator.jwk')
  return readPublic(path) ?? makeKey(path)
}

function makeKey(path: string): PublicJwk {
  const made = generatePrivateJwk('ES256')
  const { kid } = createLocalSigner(made, 'ES256')
  createWhole(path, `${JSON.stringify({ ...made, kid, alg: 'ES256', use: 'sig' })}\n`)
  // Whose it is now: another process may have been first.
  const key = readPublic(path)
  if (key === undefined) throw new Error(`${path} was removed while it was made`)
  return key
}

/** Undefined where there is no file. Refuses one that is no key; never repeats what is in it. */
function readPublic(path: string): PublicJwk | undefined {
  const file = readIfThere(path)
  if (file === undefined) return undefined
  const { kty, crv, x, y, d } = parse(file.text)
  if (d !== undefined && (file.mode & 0o077) !== 0) {
    throw new StartRefused([
      `${path} is the operator's private key and open to others; chmod 600 it.`,
    ])
  }
  const key = { kty, crv, x, y }
  if (readVerificationKey(key, ['ES256']) !== undefined) return key
  throw new StartRefused([`${path} is not an ES256 key; remove it and a new one is made.`])
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

interface KeyFile {
  readonly text: string
  readonly mode: number
}

function readIfThere(path: string): KeyFile | undefined {
  let opened: number | undefined
  try {
    opened = openSync(path, 'r')
    return { text: readFileSync(opened, 'utf8'), mode: fstatSync(opened).mode }
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault && fault.code === 'ENOENT') return undefined
    throw fault
  } finally {
    if (opened !== undefined) closeSync(opened)
  }
}
