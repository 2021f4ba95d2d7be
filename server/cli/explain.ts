/** `actchain explain`: why a case is permitted or refused, by a folder or by what is live at the server. */
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Explanation } from '../core/explain.ts'
import { addConnection, type Connection, connect, unknownTenant } from './admin-client.ts'
import { addCaseOptions, type CaseOptions, readCase } from './case-options.ts'
import { caseJson } from './case-text.ts'
import { explanationText } from './explanation-text.ts'
import { AnsweredNo, Failure } from './failure.ts'
import { print, printJson } from './print.ts'
import { commandConfigOrFail } from './settings-or-fail.ts'

const EXAMPLE =
  'actchain explain --tenant acme --actor researcher --for planner --subject alice \\\n' +
  '    --resource ledger-api --scope ledger:read'

export function addExplain(program: Command): void {
  const command = program
    .command('explain')
    .description('say why a chain of agents may, or may not, have these scopes there')
    .requiredOption('--tenant <tenant>', 'id of the tenant')
    .option('--tenants <folder>', 'folder of tenants (default: ACTCHAIN_TENANTS)')
    .option('--live', 'ask the server about what is live, instead of reading the folder')
  addConnection(addCaseOptions(command))
    .option('--json', 'print the explanation as JSON')
    .addHelpText('after', `\nExample:\n  ${EXAMPLE}\n\nExits 0 when it is permitted, 1 when not.`)
    .action(explain)
}

interface Options extends CaseOptions, Connection {
  readonly tenant: string
  readonly tenants?: string
  readonly live?: true
  readonly json?: true
}

async function explain(options: Options): Promise<void> {
  const explanation = options.live ? await askServer(options) : await readFolder(options)
  if (options.json) printJson(explanation)
  else print(explanationText(explanation))
  if (explanation.decision !== 'permit') throw new AnsweredNo()
}

async function readFolder(options: Options): Promise<Explanation> {
  const { publicUrl, tenantsFolder } = commandConfigOrFail({ tenants: options.tenants })
  const asked = readCase(options)
  const { tenantFolderOrFail } = await import('./tenant-folders.ts')
  const { checkFolder, validOrFail } = await import('./checked-folder.ts')
  const core = await import('../core/explain.ts')
  const path = join(options.tenants ?? tenantsFolder, options.tenant)
  const { tenant } = validOrFail(checkFolder(tenantFolderOrFail(path), publicUrl))
  return core.explain(tenant, asked)
}

async function askServer(options: Options): Promise<Explanation> {
  const body = caseJson(readCase(options))
  const client = await connect(options)
  const answer = await client.request({
    method: 'POST',
    path: [options.tenant, 'explain'],
    body,
    expected: [200, 404],
  })
  if (answer.status === 404) throw unknownTenant(client, options.tenant)
  const { decision, guards, rules, facts } = answer.body ?? {}
  const isExplained = typeof decision === 'string' && typeof facts === 'object'
  if (!isExplained || !Array.isArray(guards) || !Array.isArray(rules)) {
    throw new Failure('The answer of the server is no explanation; check --server.')
  }
  return answer.body as unknown as Explanation
}
