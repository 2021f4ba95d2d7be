/**
 * One root exchange (RFC 8693 §2.1) as a curl line: a fresh user token, the agent's assertion (RFC 7523 §2.2) and its DPoP
 * proof (RFC 9449 §4.2), signed with the agent's development key. Good for a minute, and once.
 */
import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type DevelopmentKey, developmentKeyFile, findDevelopmentKey } from '../development-keys.ts'
import { Failure } from './failure.ts'
import { signIn } from './sign-in.ts'
import { signJwt } from './sign-jwt.ts'

export interface ExchangeOrder {
  readonly dataFolder: string
  readonly publicUrl: string
  readonly idp: string
  /** Undefined: the only tenant with development keys. */
  readonly tenant: string | undefined
  readonly agent: string
  readonly user: string
  /** Resource id. */
  readonly target: string
  readonly scope: string | undefined
  readonly taskType: string | undefined
}

export interface ExchangeLine {
  readonly curl: string
  /** Seconds. */
  readonly expires_in: number
  readonly issuer: string
}

const ASSERTION_LIFETIME = 60

/** Throws a `Failure` that says what to do. */
export async function composeExchange(order: ExchangeOrder): Promise<ExchangeLine> {
  const tenant = order.tenant ?? (await onlyTenant(order.dataFolder))
  const issuer = `${order.publicUrl}/t/${tenant}`
  const key = await keyOf(order.dataFolder, tenant, order.agent)
  const { id_token } = await signIn({ idp: order.idp, user: order.user, client: order.agent })
  const now = Math.floor(Date.now() / 1000)
  const parameters: Readonly<Record<string, string>> = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: id_token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    audience: order.target,
    ...(order.scope !== undefined && { scope: order.scope }),
    ...(order.taskType !== undefined && { task_type: order.taskType }),
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: clientAssertion(key, order.agent, issuer, now),
  }
  const endpoint = `${issuer}/token`
  const curl = [
    `curl -sS ${shellQuoted(endpoint)}`,
    `-H ${shellQuoted(`DPoP: ${dpopProof(key, endpoint, now)}`)}`,
    ...Object.entries(parameters).map(
      ([name, value]) => `--data-urlencode ${shellQuoted(`${name}=${value}`)}`,
    ),
  ].join(' ')
  return { curl, expires_in: ASSERTION_LIFETIME, issuer }
}

function clientAssertion(key: DevelopmentKey, agent: string, issuer: string, now: number): string {
  return signJwt(
    key,
    { typ: 'client-authentication+jwt', kid: key.kid },
    {
      iss: agent,
      sub: agent,
      aud: issuer,
      jti: randomUUID(),
      iat: now,
      exp: now + ASSERTION_LIFETIME,
    },
  )
}

/** By the agent's own key, so that whoever pastes the line can use the token it gives. */
function dpopProof({ kty, crv, x, y, ...key }: DevelopmentKey, htu: string, now: number): string {
  return signJwt(
    { kty, crv, x, y, ...key },
    { typ: 'dpop+jwt', jwk: { kty, crv, x, y } },
    { jti: randomUUID(), htm: 'POST', htu, iat: now },
  )
}

async function keyOf(dataFolder: string, tenant: string, agent: string): Promise<DevelopmentKey> {
  const key = await findDevelopmentKey(keyFile(dataFolder, tenant, agent))
  if (key) return key
  const cure =
    'start the server in development once (npm start), or choose another agent with --as.'
  throw new Failure(`There is no development key of agent ${agent} in tenant ${tenant}; ${cure}`)
}

function keyFile(dataFolder: string, tenant: string, agent: string): string {
  try {
    return developmentKeyFile(dataFolder, tenant, agent)
  } catch {
    throw new Failure('An agent or tenant id is lower-case letters, digits and dashes.', 2)
  }
}

async function onlyTenant(dataFolder: string): Promise<string> {
  const tenants = await readdir(join(dataFolder, 'dev-agents')).catch(() => [])
  const [tenant, another] = tenants
  if (tenant !== undefined && another === undefined) return tenant
  if (tenant === undefined) {
    throw new Failure('There are no development keys yet; start the server once with npm start.')
  }
  throw new Failure(
    `There are several tenants; choose one with --tenant: ${tenants.join(', ')}.`,
    2,
  )
}

/** One word for a POSIX shell, whatever it holds. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
