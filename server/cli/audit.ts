/** `actchain audit`: the record of a server, and whether a copy of it is whole. */
import type { Command } from 'commander'
import { addAuditErase } from './audit-erase.ts'
import {
  addAuditCheckpoint,
  addAuditEvidence,
  addAuditExport,
  addAuditKey,
} from './audit-take-away.ts'
import { addAuditSearch, addAuditTask } from './audit-task.ts'
import { addAuditVerify } from './audit-verify.ts'

export function addAudit(program: Command): void {
  const audit = program.command('audit').description('the record: read it, check a copy of it')
  addAuditTask(audit)
  addAuditSearch(audit)
  addAuditExport(audit)
  addAuditEvidence(audit)
  addAuditCheckpoint(audit)
  addAuditKey(audit)
  addAuditVerify(audit)
  addAuditErase(audit)
}
