/** `actchain serve` as a process: what it prints, what it starts, how it ends, what it refuses. */
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, test } from 'vitest'
import { argumentsOf } from './pasted-line.ts'
import { runCli, spawnCli } from './run-cli.ts'

interface Ports {
  readonly port: number
  readonly management: number
  readonly idp: number
}

/** Three ports that were free a moment ago. */
async function freePorts(): Promise<Ports> {
  const servers = [0, 1, 2].map(() => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const [port, management, idp] = servers.map(
    (server) => (server.address() as { port: number }).port,
  )
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return { port: port!, management: management!, idp: idp! }
}

function serveArguments(
  { port, management, idp }: Ports,
  data = mkdtempSync(join(tmpdir(), 'actchain-serve-')),
) {
  const flags = { port, 'management-port': management, 'idp-port': idp, data, mode: 'development' }
  return [
    'serve',
    '--json',
    ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ]
}

/** The sample tenants, trusting the identity provider on this port. */
function tenantsTrusting(idp: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-tenants-'))
  cpSync('tenants', folder, { recursive: true })
  const file = join(folder, 'acme', 'tenant.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('127.0.0.1:8462', `127.0.0.1:${idp}`))
  return folder
}

/** A running server and its first line of JSON. */
async function started(ports: Ports, ...more: readonly string[]) {
  const child = spawnCli([...serveArguments(ports), ...more])
  const exit = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{')) return { child, exit, facts: JSON.parse(line) }
  }
  throw new Error('ended before it had started')
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(Boolean(socket.destroy())))
    socket.once('error', () => resolve(false))
  })
}

/** Looks until nothing listens there any more. */
async function untilClosed(port: number): Promise<void> {
  while (await accepts(port));
}

describe('a running server', () => {
  test('says its issuers and where to look, starts its identity provider, and ends both in order', async () => {
    const ports = await freePorts()
    const { child, exit, facts } = await started(ports)
    const origin = `http://127.0.0.1:${ports.port}`
    expect(facts).toEqual({
      issuers: [`${origin}/t/acme`],
      well_known: [`${origin}/.well-known/oauth-authorization-server/t/acme`],
      identity_provider: `http://127.0.0.1:${ports.idp}`,
      curl: expect.stringContaining(`curl -sS '${origin}/t/acme/token'`),
    })
    const metadata = await (await fetch(facts.well_known[0])).json()
    expect(metadata.issuer).toBe(facts.issuers[0])
    expect(await accepts(ports.idp)).toBe(true)
    child.kill('SIGTERM')
    expect(await exit).toEqual([0, null])
    await untilClosed(ports.idp)
  })

  test('prints an exchange that is answered with a bound token, and works once', async () => {
    const ports = await freePorts()
    const { child, exit, facts } = await started(ports, '--tenants', tenantsTrusting(ports.idp))
    const { url, dpop, form } = await argumentsOf(facts.curl)
    const paste = () =>
      fetch(url, { method: 'POST', headers: { DPoP: dpop }, body: new URLSearchParams([...form]) })
    const [first, second] = [await paste(), await paste()]
    expect(await first.json()).toMatchObject({
      access_token: expect.stringMatching(/^eyJ/),
      token_type: 'DPoP',
    })
    expect(first.status).toBe(200)
    expect(second.ok).toBe(false)
    child.kill('SIGTERM')
    expect(await exit).toEqual([0, null])
  })

  test('uses an identity provider that answers already, and leaves it running', async () => {
    const first = await started(await freePorts())
    const idp = Number(new URL(first.facts.identity_provider).port)
    const second = await started({ ...(await freePorts()), idp })
    expect(second.facts.identity_provider).toBe(first.facts.identity_provider)
    second.child.kill('SIGINT')
    expect(await second.exit).toEqual([0, null])
    expect(await accepts(idp)).toBe(true)
    first.child.kill('SIGINT')
    expect(await first.exit).toEqual([0, null])
  })

  test('is ended at once by a second signal, its identity provider too', async () => {
    const ports = await freePorts()
    const { child, exit } = await started(ports)
    const slow = connect(ports.port, '127.0.0.1')
    slow.on('error', () => {})
    await once(slow, 'connect')
    slow.write('POST /t/acme/token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n')
    child.kill('SIGTERM')
    await untilClosed(ports.port)
    child.kill('SIGTERM')
    expect(await exit).toEqual([1, null])
    await untilClosed(ports.idp)
    slow.destroy()
  })

  test('takes its identity provider along when it is killed', async () => {
    const ports = await freePorts()
    const { child, exit } = await started(ports)
    child.kill('SIGKILL')
    await exit
    await untilClosed(ports.idp)
  })
})

describe('a refused start', () => {
  test.each(['port', 'idp'] as const)('names the %s that is taken', async (which) => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    const { code, stdout, stderr } = await runCli(
      serveArguments({ ...(await freePorts()), [which]: port }),
    )
    taken.close()
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(`Port ${port} is taken; free it`)
  })

  test('K06 production without its settings is refused, naming each', async () => {
    const { code, stdout, stderr } = await runCli(['serve'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'ACTCHAIN_PUBLIC_URL',
      'ACTCHAIN_KEY_SECRET',
      '',
    ])
  })

  test('K06 production with the sample tenant is refused, naming its files', async () => {
    const ports = await freePorts()
    const env = {
      ACTCHAIN_PUBLIC_URL: 'https://as.example.com',
      ACTCHAIN_KEY_SECRET: 'k'.repeat(40),
    }
    const args = [...serveArguments(ports), '--mode', 'production']
    const { code, stdout, stderr } = await runCli(args, { env })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('acme/agents.yaml: planner: auth: development_keys')
    expect(stderr).toContain(
      'acme/tenant.yaml: trusted_issuers dev-idp: issuer http://127.0.0.1:8462',
    )
  })

  test('a wrong flag is misuse', async () => {
    const { code, stderr } = await runCli(['serve', '--mode', 'development', '--port', '0'])
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: '--port is "0"; set it to a port from 1 to 65535.\n',
    })
  })
})
