/**
 * `npm run dockerfile`: builds the image's stages without Docker, starts what came out as the image would (its entrypoint,
 * its environment, its user where that is possible) in production mode, and looks at it from outside.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../test/support/child-server.ts'
import { newKey } from '../test/support/signing.ts'
import { writeTenantFolder } from '../test/support/tenant-folder.ts'
import { type BuiltStage, buildImage } from './dockerfile-build.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PUBLIC_URL = 'https://as.example.com'
const IMAGE_USER = 1000
const AGENTS = ['planner', 'researcher', 'coder', 'rogue']

interface Ports {
  readonly port: number
  readonly management: number
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-image-'))
  try {
    // The image's user walks through here.
    chmodSync(folder, 0o755)
    const image = buildImage({ context: ROOT, into: folder, nodeFolder: dirname(process.execPath) })
    expectNoDevDependency(image)
    writeTenant(image)
    const [port, management] = await Promise.all([freePort(), freePort()])
    await runImage(image, { port, management })
    console.log('The image builds, starts as it would in production, answers, and ends in order.')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** By the lock file: a package that only development needs has no place in the image. */
function expectNoDevDependency({ root, workdir }: BuiltStage): void {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>
  }
  const modules = join(root, workdir, 'node_modules')
  const names = readdirSync(modules).flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(modules, name)).map((part) => `${name}/${part}`) : name,
  )
  const installed = names.filter((name) => !name.startsWith('.'))
  expect(installed.length > 20, 'the image has its dependencies')
  const dev = installed.filter((name) => lock.packages[`node_modules/${name}`]?.dev === true)
  expect(dev.length === 0, `no dev dependency is in the image: ${dev.join(', ')}`)
}

/** A tenant without any development default: every agent and the identity provider have real keys. */
function writeTenant({ root, environment }: BuiltStage): void {
  const folder = join(root, environment['ACTCHAIN_TENANTS'] ?? '')
  writeTenantFolder(folder, 'acme', {
    idp: { issuer: 'https://idp.example', jwks: [newKey('idp-1').publicJwk] },
    agentKeys: Object.fromEntries(AGENTS.map((id) => [id, newKey(`${id}-1`).publicJwk])),
  })
}

async function runImage(image: BuiltStage, ports: Ports): Promise<void> {
  const { port, management } = ports
  const server = start(image, argvOf(image, 'entrypoint'), {
    ACTCHAIN_HOST: '127.0.0.1',
    ACTCHAIN_PORT: String(port),
    ACTCHAIN_MANAGEMENT_PORT: String(management),
    ACTCHAIN_PUBLIC_URL: PUBLIC_URL,
    ACTCHAIN_KEY_SECRET: randomBytes(32).toString('base64url'),
  })
  const exit = once(server, 'exit')
  let told = ''
  for (const stream of [server.stdout, server.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      told += chunk.toString()
    })
  }
  try {
    await Promise.race([
      untilAlive(management),
      exit.then(() => Promise.reject(new Error(`the server ended: ${told}`))),
    ])
    await look(image, ports)
  } finally {
    server.kill('SIGTERM')
  }
  const [code] = (await exit) as [number | null]
  expect(code === 0, `SIGTERM ends the server in order: ${code} ${told}`)
}

/** The image's own health check, the metadata behind the proxy that ends TLS, and a refusal that goes on record. */
async function look(image: BuiltStage, { port, management }: Ports): Promise<void> {
  const check = argvOf(image, 'healthcheck').map((word) => word.replace('8461', String(management)))
  const [code] = (await once(start(image, check, {}), 'exit')) as [number | null]
  expect(code === 0, 'the health check passes')
  const origin = `http://127.0.0.1:${port}`
  const issuer = `${PUBLIC_URL}/t/acme`
  const found = await fetch(`${origin}/.well-known/oauth-authorization-server/t/acme`)
  const metadata = (await found.json()) as { readonly issuer?: string }
  expect(metadata.issuer === issuer, 'the metadata names the public issuer')
  const refused = await fetch(`${origin}/t/acme/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'planner' }),
  })
  expect(refused.status === 401, 'a client without an assertion is refused')
}

async function untilAlive(management: number): Promise<void> {
  const isAlive = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${management}/livez`).then(
      ({ ok }) => ok,
      () => false,
    )
  while (!(await isAlive())) await new Promise((resolve) => setTimeout(resolve, 50))
}

function argvOf({ stage }: BuiltStage, kind: 'entrypoint' | 'healthcheck'): readonly string[] {
  const found = stage.instructions.find((instruction) => instruction.kind === kind)
  if (found === undefined || !('argv' in found)) throw new Error(`the image has no ${kind}`)
  return found.argv
}

/** As the image would: paths of its environment lie in its own root, and it runs as its own user. */
function start(
  { root, workdir, environment }: BuiltStage,
  [program, ...args]: readonly string[],
  more: Readonly<Record<string, string>>,
): ChildProcess {
  expect(program === 'node', 'the image runs node')
  const inside = Object.entries(environment).map(([name, value]) => [
    name,
    value.startsWith('/') ? join(root, value) : value,
  ])
  return spawn(process.execPath, args, {
    cwd: join(root, workdir),
    env: { ...(Object.fromEntries(inside) as Record<string, string>), ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(canBeImageUser() ? { uid: IMAGE_USER, gid: IMAGE_USER } : {}),
  })
}

/** Root can become the image's user, where that user can reach this project's Node. */
function canBeImageUser(): boolean {
  if (process.getuid?.() !== 0) return false
  const { status } = spawnSync(process.execPath, ['--version'], {
    uid: IMAGE_USER,
    gid: IMAGE_USER,
    cwd: tmpdir(),
  })
  return status === 0
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not so: ${what}`)
}

await main()
