/**
 * The servers of a run. Each is up with its data in a folder of its own, knows how to make a batch of requests, and is
 * closed with everything it left.
 */

import { join } from 'node:path'
import { freePort } from '../test/support/child-server.ts'
import type { Cores } from './cores.ts'
import { Driver, type PreparedRequest } from './load.ts'
import { productionEnvironment } from './production-environment.ts'
import { makeScratchFolder, removeScratchFolder } from './scratch-folder.ts'
import { ServerProcess } from './server-process.ts'
import { agentAt, exchangeForm, Signer } from './signed-requests.ts'
import { type TenantKeys, writeBenchTenant } from './tenant.ts'

export interface MeasuredServer {
  readonly server: ServerProcess
  readonly driver: Driver
  close(): Promise<void>
}

/** Actchain, and who may ask it. */
export interface MeasuredActchain extends MeasuredServer {
  readonly keys: TenantKeys
  readonly signer: Signer
}

/** Actchain with everything on: production mode, the durable store, the audit log. */
export async function startActchain(
  cores: Cores,
  script: 'actchain.ts' | 'actchain-unrecorded.ts' = 'actchain.ts',
): Promise<MeasuredActchain> {
  const folder = makeScratchFolder()
  const removeFolder = (): void => removeScratchFolder(folder)
  try {
    const keys = writeBenchTenant(join(folder, 'tenants'))
    const [port, management] = [await freePort(), await freePort()]
    const env = productionEnvironment(folder, { port, management })
    const server = await ServerProcess.start({ script, env, cores })
    return { ...measured(server, port, removeFolder), keys, signer: new Signer(keys) }
  } catch (fault) {
    removeFolder()
    throw fault
  }
}

/** Servers that do less than ours, for the same requests. */
export async function startComparator(
  script: 'plain-http.ts' | 'base-library.ts',
  keys: TenantKeys,
  cores: Cores,
): Promise<MeasuredServer> {
  const port = await freePort()
  const clients = [...keys.agents].map(([id, { publicJwk }]) => ({ id, key: publicJwk }))
  const env = { BENCH_PORT: String(port), BENCH_CLIENTS: JSON.stringify(clients) }
  const server = await ServerProcess.start({ script, env, cores })
  return measured(server, port)
}

function measured(server: ServerProcess, port: number, after = (): void => {}): MeasuredServer {
  const driver = new Driver(port)
  return {
    server,
    driver,
    close: async () => {
      driver.close()
      await server.close().finally(after)
    },
  }
}

/** The subject token of an exchange that makes a chain of `depth` agents, through as many exchanges as it takes. */
export async function subjectToken(
  { driver, signer }: MeasuredActchain,
  depth: number,
): Promise<string> {
  let token = signer.idToken()
  for (let at = 1; at < depth; at++) token = await exchange(driver, signer, at, token)
  return token
}

async function exchange(
  driver: Driver,
  signer: Signer,
  depth: number,
  token: string,
): Promise<string> {
  const answer = await driver.send(signer.prepare(agentAt(depth), exchangeForm(depth, token)))
  return accessToken(answer)
}

/** Throws where the answer is a refusal. */
export function accessToken({ status, text }: { status: number; text: string }): string {
  const body = JSON.parse(text) as { readonly access_token?: string }
  if (status === 200 && body.access_token !== undefined) return body.access_token
  throw new Error(`answered ${status}: ${text.slice(0, 300)}`)
}

/** So many exchanges of one subject token, each with its own assertion and proof. */
export async function exchangeBatch(
  on: MeasuredActchain,
  depth: number,
  count: number,
): Promise<readonly PreparedRequest[]> {
  const form = exchangeForm(depth, await subjectToken(on, depth))
  return Array.from({ length: count }, () => on.signer.prepare(agentAt(depth), form))
}
