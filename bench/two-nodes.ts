/**
 * Two server processes on one data folder, and versions of a tenant applied at the first: how long until the second one
 * decides by them. In development mode, because the sample tenant is one for development.
 */
import { join } from 'node:path'
import { type Config, isProblems, readConfig } from '../server/config.ts'
import { type AdminClient, operatorOf, tenantFiles } from '../test/support/admin-client.ts'
import type { Answer } from '../test/support/agent-client.ts'
import { freePort } from '../test/support/child-server.ts'
import type { Cores } from './cores.ts'
import { ServerProcess } from './server-process.ts'

export interface TwoNodes {
  readonly config: Config
  readonly first: AdminClient
  readonly second: AdminClient
  close(): Promise<void>
}

/** @param folder has the folder `tenants` */
export async function startTwoNodes(cores: Cores, folder: string): Promise<TwoNodes> {
  const ports = [await freePort(), await freePort()]
  const publicUrl = `http://127.0.0.1:${ports[0]}`
  const nodes: ServerProcess[] = []
  const close = async (): Promise<void> => {
    for (const node of nodes.splice(0)) await node.close()
  }
  try {
    for (const port of ports) {
      const env = await environment(folder, port, publicUrl)
      nodes.push(await ServerProcess.start({ script: 'actchain.ts', env, cores }))
    }
    const config = readConfig(await environment(folder, ports[0] ?? 0, publicUrl))
    if (isProblems(config)) throw new Error(JSON.stringify(config))
    const first = await operatorOf({ config })
    const second = await operatorOf({ config }, `http://127.0.0.1:${ports[1]}`)
    return { config, first, second, close }
  } catch (fault) {
    await close()
    throw fault
  }
}

async function environment(
  folder: string,
  port: number,
  publicUrl: string,
): Promise<Readonly<Record<string, string>>> {
  return {
    ACTCHAIN_MODE: 'development',
    ACTCHAIN_PORT: String(port),
    ACTCHAIN_MANAGEMENT_PORT: String(await freePort()),
    ACTCHAIN_PUBLIC_URL: publicUrl,
    ACTCHAIN_DATA: join(folder, 'data'),
    ACTCHAIN_TENANTS: join(folder, 'tenants'),
  }
}

/** Milliseconds. */
export interface AppliedTimes {
  /** The files are sent, checked and stored. */
  readonly add: number
  /** The version is made live. */
  readonly activate: number
  /** From the answer to that until the other process has answered by the version. */
  readonly visible: number
}

export interface AppliedTenant {
  readonly id: string
  /** Of its management API; its rules permit it. */
  readonly case: object
}

/** One version after the other, each with a policy the last one did not have. */
export async function applyVersions(
  { config, first, second }: TwoNodes,
  tenant: AppliedTenant,
  rounds: number,
): Promise<readonly AppliedTimes[]> {
  const files = tenantFiles({ config }, tenant.id)
  const times: AppliedTimes[] = []
  let live = await versionAt(second, tenant)
  for (let round = 0; round < rounds; round++) {
    const version = { files: { ...files, 'policies/bench.cedar': policyOf(round) } }
    const [added, add] = await timed(() => first.post(`/tenants/${tenant.id}/versions`, version))
    const next = memberOf(added, 201, 'version')
    const [activated, activate] = await timed(() => first.activate(tenant.id, next, live))
    memberOf(activated, 200, 'version')
    const [, visible] = await timed(() => untilLive(second, tenant, next))
    times.push({ add, activate, visible })
    live = next
  }
  return times
}

function policyOf(round: number): string {
  return `@id("bench-${round}") forbid (principal, action, resource) when { context.now < datetime("2020-01-01") };\n`
}

/** Seconds a version may take to be seen before the bench says that it is not. */
const PATIENCE_SECONDS = 60

async function untilLive(node: AdminClient, tenant: AppliedTenant, version: string): Promise<void> {
  const latest = performance.now() + PATIENCE_SECONDS * 1000
  while ((await versionAt(node, tenant)) !== version) {
    if (performance.now() > latest) throw new Error(`${tenant.id}: a version is not seen`)
  }
}

/** By which version this process decides the case. */
async function versionAt(node: AdminClient, tenant: AppliedTenant): Promise<string> {
  const answer = await node.post(`/tenants/${tenant.id}/explain`, tenant.case)
  if (memberOf(answer, 200, 'decision') !== 'permit') throw new Error(`refused: ${answer.text}`)
  return memberOf(answer, 200, 'version')
}

function memberOf({ status, body, text }: Answer, expected: number, member: string): string {
  const value = body[member]
  if (status === expected && typeof value === 'string') return value
  throw new Error(`answered ${status}: ${text.slice(0, 300)}`)
}

async function timed<Value>(act: () => Promise<Value>): Promise<readonly [Value, number]> {
  const start = performance.now()
  const value = await act()
  return [value, performance.now() - start]
}
