/**
 * Key pairs made for development, so that a laptop needs no key ceremony: one for each agent that says
 * `development_keys`, at `{data}/dev-agents/{tenant}/{agent}.jwk`. Refused in production (attack case K06).
 * The files are private (0600, folders 0700) and made whole or not at all: processes that race agree on one key.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  randomBytes,
} from 'node:crypto'
import { constants } from 'node:fs'
import { link, mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
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

const makePair = promisify(generateKeyPair)
const ID = /^[a-z][a-z0-9-]{0,62}$/

/**
 * The tenant with the public half of a key pair added to each agent that has `development_keys`. Makes what is
 * missing, keeps what is there. Throws when a key file is unreadable, damaged or open to others.
 */
export async function ensureDevelopmentKeys(input: {
  readonly dataFolder: string
  readonly tenant: Tenant
}): Promise<Tenant> {
  const { dataFolder, tenant } = input
  const agents = await Promise.all(
    [...tenant.agents].map(async ([id, agent]): Promise<[string, Agent]> => {
      if (!agent.auth.development) return [id, agent]
      const key = await ensureDevelopmentKey(developmentKeyFile(dataFolder, tenant.id, id))
      const jwks = Object.freeze([...agent.auth.jwks, publicJwk(key)])
      return [id, Object.freeze({ ...agent, auth: Object.freeze({ ...agent.auth, jwks }) })]
    }),
  )
  return Object.freeze({ ...tenant, agents: new Map(agents) })
}

/** Where an agent's development key is. Throws on an id that could name another path. */
export function developmentKeyFile(dataFolder: string, tenant: string, agent: string): string {
  if (!ID.test(tenant) || !ID.test(agent)) throw new TypeError('not a tenant or agent id')
  return join(dataFolder, 'dev-agents', tenant, `${agent}.jwk`)
}

/** The key in this file, made first if there is none. Atomic across processes. */
export async function ensureDevelopmentKey(file: string): Promise<DevelopmentKey> {
  return (await findDevelopmentKey(file)) ?? (await createKeyFile(file))
}

/** The key in this file, undefined where there is none. Throws when it is damaged or open to others. */
export async function findDevelopmentKey(file: string): Promise<DevelopmentKey | undefined> {
  const handle = await openPrivate(file)
  if (handle === undefined) return undefined
  try {
    const { mode } = await handle.stat()
    if ((mode & 0o077) !== 0) throw new Error(`${file} is open to others; chmod 600 it`)
    return parseKey(await handle.readFile('utf8'), file)
  } finally {
    await handle.close()
  }
}

/** The members that may be shown, listed one by one: a private one cannot slip in. */
export function publicJwk({ kty, crv, x, y, kid, alg, use }: DevelopmentKey): PublicJwk {
  return Object.freeze({ kty, crv, x, y, kid, alg, use })
}

async function openPrivate(file: string) {
  try {
    // No link is followed: the folder may be older than this process.
    return await open(file, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

async function createKeyFile(file: string): Promise<DevelopmentKey> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const { privateKey } = await makePair('ec', { namedCurve: 'P-256' })
  const draft = `${file}.${randomBytes(8).toString('hex')}`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(`${JSON.stringify(privateKey.export({ format: 'jwk' }))}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    // A hard link appears whole and only once: whoever comes second reads the first one's key.
    await link(draft, file)
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
  } finally {
    await rm(draft, { force: true })
  }
  const key = await findDevelopmentKey(file)
  if (key === undefined) throw new Error(`${file} was removed while it was made`)
  return key
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
