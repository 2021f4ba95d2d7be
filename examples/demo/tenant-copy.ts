/**
 * The tenants folder as the demo needs it: a copy that trusts the demo's own identity provider, whose APIs have keys to record with,
 * and whose facts and policies allow one more kind of task, whose tokens live so short that one can be seen to expire.
 */
import { generateKeyPairSync } from 'node:crypto'
import { appendFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DemoFault } from './processes.ts'

const SAMPLE_ISSUER = 'http://127.0.0.1:8462'

/** Appended to the list that ends acme's task-types.yaml. */
const ERRAND = `
  - id: errand
    openers: [planner]
    subjects_from: [dev-idp]
    scopes: [ledger:read]
    reach: [researcher-a2a, ledger-writer-a2a]
    lifetime: 5m
    token_lifetime: 2s
`

const ERRAND_POLICIES = `@id("open-errand")
permit (principal == Agent::"planner", action == Action::"open", resource == TaskType::"errand");

@id("hand-on-errand")
permit (principal, action == Action::"delegate", resource)
when { context.task_type == TaskType::"errand" };
`

export interface Arranged {
  readonly idp: string
  /** Where the private key of each API goes, by its id. */
  readonly keys: ReadonlyMap<string, string>
}

/** Throws `DemoFault` where there is no such folder, or none with acme in it. */
export async function copyTenants(from: string, to: string, arranged: Arranged): Promise<void> {
  try {
    await copy(from, to, arranged)
  } catch (error) {
    const why = error instanceof Error ? error.message : 'no reason given'
    throw new DemoFault(`The tenants folder cannot be used: ${why}`)
  }
}

async function copy(from: string, to: string, { idp, keys }: Arranged): Promise<void> {
  await cp(from, to, { recursive: true })
  const settings = join(to, 'acme', 'tenant.yaml')
  const text = await readFile(settings, 'utf8')
  await writeFile(settings, text.replaceAll(SAMPLE_ISSUER, idp))
  await appendFile(join(to, 'acme', 'task-types.yaml'), ERRAND)
  await writeFile(join(to, 'acme', 'policies', 'errand.cedar'), ERRAND_POLICIES)
  for (const [id, path] of keys) await giveKey(join(to, 'acme', 'resources.yaml'), id, path)
}

/** A key for the resource: its public half among the tenant's facts, the private one in a file of its own. */
async function giveKey(resources: string, id: string, path: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, JSON.stringify(privateKey.export({ format: 'jwk' })), { mode: 0o600 })
  const jwks = JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] })
  const text = await readFile(resources, 'utf8')
  await writeFile(resources, text.replace(`- id: ${id}\n`, `- id: ${id}\n    keys: ${jwks}\n`))
}
