/**
 * A server whose facts and rules change while it holds live tasks: the tenant folder is written again and the process
 * started again on the same data. A control address, on loopback and for this run only, asks for it.
 */
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { type Child, freePort, serveActchain } from './child-server.ts'
import { writeConformanceTenant } from './conformance-tenants.ts'
import type { RunCertificates } from './run-certificates.ts'

export interface ChangingTarget extends Child {
  /** Its part of the suite's profile. */
  readonly profile: Readonly<Record<string, unknown>>
}

export async function startChangingTarget(
  folder: string,
  tls: RunCertificates,
): Promise<ChangingTarget> {
  const tenants = join(folder, 'tenants')
  mkdirSync(tenants, { recursive: true })
  const [port, management, controlPort] = await Promise.all([freePort(), freePort(), freePort()])
  const publicUrl = `https://127.0.0.1:${port}`
  const tenant = writeConformanceTenant(tenants, 'acme', 'https://files.api')
  const settings = { tls, tenants, data: join(folder, 'data'), port, management, publicUrl }
  let running = await serveActchain(settings)
  const disabled = new Set<string>()
  const forbidden = new Set<string>()
  const control = createServer((request, response) => {
    void (async () => {
      const [, change, id = ''] = request.url?.split('/') ?? []
      await running.stop()
      if (change === 'disabled') disabled.add(id)
      else forbidden.add(id)
      tenant.rewrite(
        ({ agents }) => {
          for (const agent of agents.agents) {
            if (disabled.has(String(agent['id']))) agent['disabled'] = true
          }
        },
        Object.fromEntries([...forbidden].map(forbidCalls)),
      )
      running = await serveActchain(settings)
      response.end('{}')
    })()
  })
  await new Promise<void>((resolve) => control.listen(controlPort, '127.0.0.1', resolve))
  const { agents, idp, api } = tenant
  return {
    facts: running.facts,
    profile: {
      issuer: `${publicUrl}/t/acme`,
      agents,
      idp,
      api,
      control: `http://127.0.0.1:${controlPort}`,
    },
    stop: async () => {
      control.closeAllConnections()
      await Promise.all([running.stop(), new Promise((resolve) => control.close(resolve))])
    },
  }
}

function forbidCalls(agent: string): readonly [string, string] {
  const head = `principal == Agent::"${agent}", action == Action::"call", resource`
  return [`no-calls-by-${agent}.cedar`, `@id("no-calls-by-${agent}") forbid (${head});\n`]
}
