/** A tenant's files become a version: checked as a start would check them, and stored. What is live stays as it is. */
import { type ManagementRefusal, refuseVersion } from '../core/management-refusal.ts'
import type { Problem } from '../core/problem.ts'
import type { Author } from './author.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { AuditLog, Clock, TenantVersions } from './ports.ts'
import type { SourceTexts, VersionChecks } from './version-content.ts'

export interface AddVersionDeps {
  readonly clock: Clock
  readonly versions: TenantVersions
  readonly checks: VersionChecks
  readonly audit: AuditLog
}

export interface AddVersionInput {
  readonly tenant: string
  readonly author: Author
  readonly sources: SourceTexts
  readonly note: string | undefined
  readonly record: DecisionRecord
}

export interface AddedVersion {
  readonly version: string
  /** False where the same content was there already; its author stays who added it first. */
  readonly isNew: boolean
  readonly warnings: readonly Problem[]
}

/** Resolves when version and entry are durable. A version with problems leaves nothing behind. */
export async function addVersion(
  deps: AddVersionDeps,
  input: AddVersionInput,
): Promise<AddedVersion | ManagementRefusal> {
  const { tenant, author, sources, note, record } = input
  const { problems, warnings, content } = await deps.checks.check(tenant, sources)
  if (problems.length > 0) return refuseVersion(problems, warnings)
  if (content === undefined) throw new TypeError('a version without problems has no content')
  const facts = await deps.checks.read(tenant, content)
  if (facts.problems.length > 0) return refuseVersion(facts.problems, warnings)
  const { version } = content
  const now = deps.clock.now()
  const stored = { ...content, author: author.name, createdAt: now, note }
  const isNew = await deps.versions.add(tenant, stored)
  record.note({ version_after: version })
  await deps.audit.append(record.permitted(now))
  return { version, isNew, warnings }
}
