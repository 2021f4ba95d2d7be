/**
 * Client secrets (RFC 6749 §2.3.1), for agents of a tenant that has turned them on: in the Authorization header or in the form,
 * as the agent's method says and not otherwise.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import type { AgentAuth } from '../../core/agent-auth.ts'
import { isClientSecret } from '../../core/secret-form.ts'
import type { Tenant } from '../../core/tenant.ts'
import type { NamedClient, PresentedCredentials } from './credentials.ts'

type SecretMethod = 'client_secret_basic' | 'client_secret_post'

interface SentSecret {
  readonly method: SecretMethod
  readonly client: string
  readonly secret: string
}

const LONGEST_HEADER = 2048
/** RFC 7617 §2; one space, and base64 in its one spelling. */
const BASIC = /^basic ([A-Za-z0-9+/]+={0,2})$/i
/** Compared where a client has no secret, so that it costs what anybody does (attack case E11). */
const NOBODY: readonly string[] = [Buffer.alloc(32).toString('base64url')]

export function authenticateSecret(
  tenant: Tenant,
  { form, authorization }: PresentedCredentials,
): NamedClient | string {
  const { client_id: stated, client_secret: secret } = form
  const inForm = typeof stated === 'string' && stated !== '' ? stated : undefined
  const sent = authorization === undefined ? readForm(inForm, secret) : readBasic(authorization)
  if (sent === undefined) return 'secret_malformed'
  // RFC 6749 §2.3.1: beside the header a client_id may be sent; it names the same client.
  if (inForm !== undefined && inForm !== sent.client) return 'client_id_mismatch'
  // Before any hashing: what people choose is no secret of ours.
  if (!isClientSecret(sent.secret)) return 'secret_malformed'
  const known = secretsOf(tenant.agents.get(sent.client)?.auth, sent.method)
  const matching = findMatch(sent.secret, known ?? NOBODY)
  if (known === undefined) return 'client_unknown'
  if (matching === undefined) return 'secret_unknown'
  const { client, method } = sent
  // Which of them it was, as far as the facts tell it: of a hash of random bits nothing leads back.
  const credential = `sha256:${matching.slice(0, 12)}`
  return { client, verified: { client, method, credential, use: { kind: 'standing' } } }
}

function readForm(client: string | undefined, secret: unknown): SentSecret | undefined {
  if (client === undefined || typeof secret !== 'string') return undefined
  return { method: 'client_secret_post', client, secret }
}

function readBasic(authorization: string): SentSecret | undefined {
  if (authorization.length > LONGEST_HEADER) return undefined
  const [, encoded] = BASIC.exec(authorization) ?? []
  if (encoded === undefined) return undefined
  const octets = Buffer.from(encoded, 'base64')
  if (octets.toString('base64') !== encoded) return undefined
  const [, id, word] = /^([^:]*):([^:]*)$/.exec(octets.toString('latin1')) ?? []
  const client = decodeForm(id)
  const secret = decodeForm(word)
  if (client === undefined || client === '' || secret === undefined) return undefined
  return { method: 'client_secret_basic', client, secret }
}

/** RFC 6749 §2.3.1: id and secret are form-encoded before they are joined. Undefined for anything that is not. */
function decodeForm(text: string | undefined): string | undefined {
  if (text === undefined || !/^(?:[A-Za-z0-9*._+~-]|%[0-9A-Fa-f]{2})*$/.test(text)) return undefined
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

function secretsOf(
  auth: AgentAuth | undefined,
  method: SecretMethod,
): readonly string[] | undefined {
  if (auth === undefined || !('secretHashes' in auth)) return undefined
  return auth.method === method ? auth.secretHashes : undefined
}

/** The hash that is the secret's. Each is compared, whole: time tells neither which nor how much of it is right. */
function findMatch(secret: string, hashes: readonly string[]): string | undefined {
  const digest = hash('sha256', secret, 'buffer')
  return hashes.filter((known) => timingSafeEqual(digest, Buffer.from(known, 'base64url')))[0]
}
