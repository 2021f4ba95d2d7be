/** The logs, to be read: the port `AuditRecords` over trees, index and kept texts. */
import type { AuditRecords } from '../use-cases/ports.ts'
import type { LogTrees } from './log-trees.ts'
import type { SearchIndex } from './search-index.ts'

export interface AuditRecordsDeps {
  readonly trees: LogTrees
  readonly index: SearchIndex
}

export declare function createAuditRecords(deps: AuditRecordsDeps): AuditRecords
