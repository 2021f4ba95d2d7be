/** `actchain audit`: the record of a server, and whether a copy of it is whole. */
import type { Command } from 'commander'
import { addAuditVerify } from './audit-verify.ts'

export function addAudit(program: Command): void {
  const audit = program.command('audit').description('the record: read it, check a copy of it')
  addAuditVerify(audit)
}
