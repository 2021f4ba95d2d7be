/** `actchain check`: everything that is wrong with tenant folders, and their own test cases. */
import type { Command } from 'commander'
import { AnsweredNo } from './failure.ts'
import { commandConfigOrFail } from './settings-or-fail.ts'

export function addCheck(program: Command): void {
  program
    .command('check')
    .description('validate tenant folders and run their own test cases')
    .argument('[folders...]', 'a folder of tenants, or of one tenant (default: ACTCHAIN_TENANTS)')
    .option('--json', 'print problems, warnings, failed cases and a summary as JSON lines')
    .addHelpText(
      'after',
      '\nExamples:\n  actchain check tenants/\n  actchain check tenants/acme --json',
    )
    .action(check)
}

async function check(folders: readonly string[], { json }: { json?: true }): Promise<void> {
  const { publicUrl, tenantsFolder } = commandConfigOrFail({})
  const { findTenantFolders } = await import('./tenant-folders.ts')
  const { checkFolder } = await import('./checked-folder.ts')
  const { isGood, printCheck, printCheckJson } = await import('./check-report.ts')
  const found = (folders.length > 0 ? folders : [tenantsFolder]).flatMap(findTenantFolders)
  let areGood = true
  for (const folder of found) {
    const checked = checkFolder(folder, publicUrl)
    areGood = isGood(checked) && areGood
    if (json) printCheckJson(checked)
    else printCheck(checked)
  }
  if (!areGood) throw new AnsweredNo()
}
