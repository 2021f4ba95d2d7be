/**
 * The tenants folder as the demo needs it: a copy that trusts the demo's own identity provider, and whose facts and policies
 * allow one more kind of task, whose tokens live so short that one can be seen to expire.
 */
import { appendFile, cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
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

/** Throws `DemoFault` where there is no such folder, or none with acme in it. */
export async function copyTenants(from: string, to: string, idp: string): Promise<void> {
  try {
    await copy(from, to, idp)
  } catch (error) {
    const why = error instanceof Error ? error.message : 'no reason given'
    throw new DemoFault(`The tenants folder cannot be used: ${why}`)
  }
}

async function copy(from: string, to: string, idp: string): Promise<void> {
  await cp(from, to, { recursive: true })
  const settings = join(to, 'acme', 'tenant.yaml')
  const text = await readFile(settings, 'utf8')
  await writeFile(settings, text.replaceAll(SAMPLE_ISSUER, idp))
  await appendFile(join(to, 'acme', 'task-types.yaml'), ERRAND)
  await writeFile(join(to, 'acme', 'policies', 'errand.cedar'), ERRAND_POLICIES)
}
