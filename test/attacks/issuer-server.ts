/** An authorization server whose one trusted issuer publishes its keys over HTTP, from an address a test chooses. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Config, isProblems, readConfig } from '../../server/config.ts'
import { startServer } from '../../server/main.ts'
import type { Log, LogFields } from '../../server/telemetry/log.ts'
import { AgentClient } from '../support/agent-client.ts'
import { freePort, IDP } from '../support/authorization-server.ts'
import { epoch, newKey, signJwt, type TestKey } from '../support/signing.ts'
import { writeTenantFolder } from '../support/tenant-folder.ts'

export interface IssuerServer {
  readonly config: Config
  readonly folder: string
  readonly planner: AgentClient
  readonly logged: readonly LogFields[]
  /** A user token under this issuer, signed by `key` with `kid`. */
  userToken(key: TestKey, kid: string): string
  close(): Promise<void>
}

/** `idpPort` is the one loopback port that may be fetched over plain http. Throws StartRefused as the server does. */
export async function startWithJwksUri(jwksUri: string, idpPort: number): Promise<IssuerServer> {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-issuer-'))
  const key = newKey('planner-1')
  const idp = { issuer: IDP, jwksUri }
  writeTenantFolder(join(folder, 'tenants'), 'acme', { idp, agentKeys: { planner: key.publicJwk } })
  const [port, managementPort] = await Promise.all([freePort(), freePort()])
  const config = readConfig(
    {
      ACTCHAIN_MODE: 'development',
      ACTCHAIN_PORT: String(port),
      ACTCHAIN_MANAGEMENT_PORT: String(managementPort),
      ACTCHAIN_PUBLIC_URL: `http://127.0.0.1:${port}`,
      ACTCHAIN_DATA: join(folder, 'data'),
      ACTCHAIN_TENANTS: join(folder, 'tenants'),
    },
    { idpPort: String(idpPort) },
  )
  if (isProblems(config)) throw new Error(JSON.stringify(config))
  const logged: LogFields[] = []
  const push = (fields: LogFields): void => void logged.push(fields)
  const log: Log = { debug: push, info: push, warn: push, error: push, child: () => log }
  const clean = (): void => rmSync(folder, { recursive: true, force: true })
  const running = await startServer(config, { log }).catch((fault: unknown) => {
    clean()
    throw fault
  })
  return {
    config,
    folder,
    planner: new AgentClient(`${config.publicUrl}/t/acme`, 'planner', key),
    logged,
    userToken: (signer, kid) => {
      const now = epoch()
      const payload = { iss: IDP, sub: 'alice', aud: 'planner', iat: now, exp: now + 600 }
      return signJwt(signer, { alg: 'ES256', kid, typ: 'JWT' }, payload)
    },
    close: async () => {
      await running.close()
      clean()
    },
  }
}
