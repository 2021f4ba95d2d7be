/**
 * The tokens of the demo's story, issued to the sample tenant as it is published: planner, researcher, ledger-writer, then
 * the ledger's API. Only where its user signs in is changed, to a key of this run.
 */

import { createPrivateKey } from 'node:crypto'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { isProblems, readConfig } from '../server/config.ts'
import { developmentKeyFile, findDevelopmentKey, publicJwk } from '../server/development-keys.ts'
import { startServer } from '../server/main.ts'
import type { Log } from '../server/telemetry/log.ts'
import { AgentClient } from '../test/support/agent-client.ts'
import { freePort } from '../test/support/child-server.ts'
import { epoch, newKey, signJwt, type TestKey } from '../test/support/signing.ts'
import { makeScratchFolder, removeScratchFolder } from './scratch-folder.ts'

const SAMPLE = join(import.meta.dirname, '../tenants')
const CORRECT = 'ledger:read ledger:propose'

const STORY = [
  { agent: 'planner', audience: 'researcher-a2a', scope: `docs:read crm:read ${CORRECT}` },
  { agent: 'researcher', audience: 'ledger-writer-a2a', scope: `crm:read ${CORRECT}` },
  { agent: 'ledger-writer', audience: 'ledger-api', scope: CORRECT },
] as const

/** The token of each hop, the first one first. */
export async function sampleStoryTokens(): Promise<readonly string[]> {
  const folder = makeScratchFolder()
  try {
    return await play(folder)
  } finally {
    removeScratchFolder(folder)
  }
}

async function play(folder: string): Promise<readonly string[]> {
  const idp = newKey('idp-1')
  const idpIssuer = await copySample(join(folder, 'tenants'), idp)
  const port = await freePort()
  const config = readConfig({
    ACTCHAIN_MODE: 'development',
    ACTCHAIN_PORT: String(port),
    ACTCHAIN_MANAGEMENT_PORT: String(await freePort()),
    ACTCHAIN_PUBLIC_URL: `http://127.0.0.1:${port}`,
    ACTCHAIN_DATA: join(folder, 'data'),
    ACTCHAIN_TENANTS: join(folder, 'tenants'),
  })
  if (isProblems(config)) throw new Error(JSON.stringify(config))
  const server = await startServer(config, { log: SILENT })
  try {
    const issuer = `${config.publicUrl}/t/acme`
    return await exchangeAll(issuer, config.dataFolder, idToken(idp, idpIssuer))
  } finally {
    await server.close()
  }
}

async function exchangeAll(
  issuer: string,
  dataFolder: string,
  idToken: string,
): Promise<readonly string[]> {
  const tokens: string[] = []
  for (const { agent, audience, scope } of STORY) {
    const client = new AgentClient(issuer, agent, await keyOf(dataFolder, agent))
    const held = tokens.at(-1)
    const answer = await (held === undefined
      ? client.open(idToken, { audience, scope, task_type: 'ledger-correction' })
      : client.exchange(held, { audience, scope }))
    if (answer.status !== 200) throw new Error(`${agent} was answered ${answer.text}`)
    tokens.push(String(answer.body['access_token']))
  }
  return tokens
}

/** Resolves to the issuer of the users. */
async function copySample(to: string, idp: TestKey): Promise<string> {
  await cp(SAMPLE, to, { recursive: true })
  const path = join(to, 'acme', 'tenant.yaml')
  const tenant = parse(await readFile(path, 'utf8')) as TenantDocument
  const [trusted] = tenant.trusted_issuers
  if (trusted === undefined) throw new Error('the sample tenant trusts nobody')
  const { jwks_uri: _, ...rest } = trusted
  const changed = { ...rest, jwks: { keys: [idp.publicJwk] } }
  await writeFile(path, stringify({ ...tenant, trusted_issuers: [changed] }))
  return trusted.issuer
}

interface TenantDocument {
  readonly trusted_issuers: readonly { readonly issuer: string; readonly jwks_uri?: string }[]
}

/** The key pair the server made for the agent. */
async function keyOf(dataFolder: string, agent: string): Promise<TestKey> {
  const key = await findDevelopmentKey(developmentKeyFile(dataFolder, 'acme', agent))
  if (key === undefined) throw new Error(`${agent} has no development key`)
  const privateKey = createPrivateKey({ key: { ...key }, format: 'jwk' })
  return { privateKey, publicJwk: { ...publicJwk(key) }, thumbprint: key.kid }
}

/** What the development identity provider says of a user who has signed in. */
function idToken(idp: TestKey, issuer: string): string {
  const now = epoch()
  const claims = { iss: issuer, sub: 'alice', aud: 'planner', iat: now, exp: now + 600 }
  const authentication = { auth_time: now - 30, acr: 'dev' }
  return signJwt(idp, { alg: 'ES256', kid: 'idp-1', typ: 'JWT' }, { ...claims, ...authentication })
}

const silence = (): void => {}
const SILENT: Log = {
  debug: silence,
  info: silence,
  warn: silence,
  error: silence,
  child: () => SILENT,
}
