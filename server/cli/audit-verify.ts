/** `actchain audit verify`: whether a copy of the record is whole. */
import type { Command } from 'commander'

export function addAuditVerify(audit: Command): void {
  audit.command('verify').description('find what was changed in a copy of the record')
}
