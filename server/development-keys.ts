/**
 * Key pairs made for development, so that a laptop needs no key ceremony: one for each agent that says
 * `development_keys`, at `{data}/dev-agents/{tenant}/{agent}.jwk`. Refused in production (attack case K06).
 * The files are private (0600, folders 0700) and made whole or not at all: processes that race agree on one key.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createWhole } from '../keys/sealed-file.ts'
import type { Agent, PublicJwk, Tenant } from './core/tenant.ts'

/** An ES256 key pair (RFC 7518 §6.2), `kid` its thumbprint (RFC 7638). */
export interface DevelopmentKey {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  /** The private part. Never leaves the file but to sign. */
  readonly d: string
  readonly kid: string
  readonly alg: 'ES256'
  readonly use: 'sig'
}

const ID = /^[a-z][a-z0-9-]{0,62}$/

/**
 * The tenant with the public half of a key pair added to each agent that has `development_keys`. Makes what is
 * missing, keeps what is there. Throws when a key file is unreadable, damaged or open to others.
 */
export function ensureDevelopmentKeys(input: {
  readonly dataFolder: string
  readonly tenant: Tenant
}): Tenant {
  const { dataFolder, tenant } = input
  const agents = [...tenant.agents].map(([id, agent]): [string, Agent] => {
    const { auth } = agent
    if (auth.method !== 'private_key_jwt' || !auth.development) return [id, agent]
    const key = ensureKey(developmentKeyFile(dataFolder, tenant.id, id))
    const jwks = Object.freeze([...auth.jwks, publicJwk(key)])
    return [id, Object.freeze({ ...agent, auth: Object.freeze({ ...auth, jwks }) })]
  })
  return Object.freeze({ ...tenant, agents: new Map(agents) })
}

/** Where an agent's development key is. Throws on an id that could name another path. */
export function developmentKeyFile(dataFolder: string, tenant: string, agent: string): string {
  if (!ID.test(tenant) || !ID.test(agent)) throw new TypeError('not a tenant or agent id')
  return join(dataFolder, 'dev-agents', tenant, `${agent}.jwk`)
}

/** The key in this file, made first if there is none. Atomic across processes. */
export async function ensureDevelopmentKey(file: string): Promise<DevelopmentKey> {
  return ensureKey(file)
}

/** The key in this file, undefined where there is none. Throws when it is damaged or open to others. */
export async function findDevelopmentKey(file: string): Promise<DevelopmentKey | undefined> {
  return findKey(file)
}

/** The members that may be shown, listed one by one: a private one cannot slip in. */
export function publicJwk({ kty, crv, x, y, kid, alg, use }: DevelopmentKey): PublicJwk {
  return Object.freeze({ kty, crv, x, y, kid, alg, use })
}

function ensureKey(file: string): DevelopmentKey {
  const known = findKey(file)
  if (known !== undefined) return known
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  // Whoever comes second reads the first one's key.
  createWhole(file, `${JSON.stringify(privateKey.export({ format: 'jwk' }))}\n`)
  const made = findKey(file)
  if (made === undefined) throw new Error(`${file} was removed while it was made`)
  return made
}

function findKey(file: string): DevelopmentKey | undefined {
  const opened = openPrivate(file)
  if (opened === undefined) return undefined
  try {
    const { mode } = fstatSync(opened)
    if ((mode & 0o077) !== 0) throw new Error(`${file} is open to others; chmod 600 it`)
    return parseKey(readFileSync(opened, 'utf8'), file)
  } finally {
    closeSync(opened)
  }
}

function openPrivate(file: string): number | undefined {
  try {
    // No link is followed: the folder may be older than this process.
    return openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

function parseKey(text: string, file: string): DevelopmentKey {
  try {
    const privateKey = createPrivateKey({ key: JSON.parse(text) as object, format: 'jwk' })
    const { x, y, d } = privateKey.export({ format: 'jwk' })
    const { kty, crv } = createPublicKey(privateKey).export({ format: 'jwk' })
    if (kty !== 'EC' || crv !== 'P-256' || !x || !y || !d)
      throw new TypeError('another kind of key')
    const kid = thumbprint(x, y)
    return Object.freeze({ kty, crv, x, y, d, kid, alg: 'ES256', use: 'sig' })
  } catch {
    // Without its cause, which may quote the key.
    throw new Error(`${file} is not an ES256 key; remove it and a new one is made`)
  }
}

/** RFC 7638 §3.2: the required members in lexicographic order. */
function thumbprint(x: string, y: string): string {
  const members = JSON.stringify({ crv: 'P-256', kty: 'EC', x, y })
  return createHash('sha256').update(members).digest('base64url')
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
