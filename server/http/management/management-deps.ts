/** What the management API needs from outside. */

import type { EvidenceDeps } from '../../use-cases/make-evidence.ts'
import type { ManagementAccess } from '../../use-cases/management-access.ts'
import type {
  AuditLog,
  AuditRecords,
  Clock,
  TaskStore,
  Telemetry,
  Tenants,
  TenantVersions,
} from '../../use-cases/ports.ts'
import type { RateLimits } from '../../use-cases/rate-limit.ts'
import type { ActionRecorder } from '../../use-cases/record-actions.ts'
import type { SecurityEvents } from '../../use-cases/security-events.ts'
import type { SharedSignals } from '../../use-cases/shared-signals.ts'
import type { PrivateKeys } from '../../use-cases/signing-keys.ts'
import type { UsageLog } from '../../use-cases/usage.ts'
import type { TenantFolders, VersionChecks } from '../../use-cases/version-content.ts'

export interface ManagementDeps {
  /** Origin that clients use, from configuration. */
  readonly publicUrl: string
  readonly clock: Clock
  readonly tenants: Tenants
  readonly folders: TenantFolders
  readonly versions: TenantVersions
  readonly keys: PrivateKeys
  readonly checks: VersionChecks
  readonly access: ManagementAccess
  readonly audit: AuditLog
  readonly tasks: TaskStore
  readonly actionRecorder: ActionRecorder
  readonly records: AuditRecords
  readonly saltOf: EvidenceDeps['saltOf']
  readonly documentsOf: EvidenceDeps['documentsOf']
  readonly jwksOf: EvidenceDeps['jwksOf']
  readonly securityEvents: SecurityEvents
  /** The same as at the token endpoint: what a client asks there counts here. */
  readonly rates: RateLimits
  readonly sharedSignals: SharedSignals
  readonly usage: Pick<UsageLog, 'read'>
  readonly telemetry: Telemetry
  /** Resolves after others had their turn. */
  readonly pause: () => Promise<void>
  /** 128 random bits, for `error_ref`. */
  readonly randomId: () => string
  /** Logged once, at the door. */
  readonly onFault: (fault: unknown, ref: string, tenant: string) => void
}
