/** What a version of a tenant says, and what the tenants room makes of it; declared by the management use cases. */
import type { Problem } from '../core/problem.ts'
import type { SigningAlgorithm } from '../core/tenant.ts'

export type SourceTexts = Readonly<Record<string, string>>

export interface VersionContent {
  /** Hash of what the files say. */
  readonly version: string
  /** Text of each file by its path in the folder. */
  readonly sources: SourceTexts
  /** What the check made of them; opaque here. */
  readonly compiled: string
}

/** Tenants as their folder said at the start. They are live until a version of theirs is activated. */
export interface TenantFolders {
  ids(): readonly string[]
  find(tenant: string): VersionContent | undefined
}

export interface CheckedVersion {
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  /** Undefined exactly where there are problems. */
  readonly content: VersionContent | undefined
}

export interface VersionFacts {
  readonly agents: readonly string[]
  readonly signingAlgorithm: SigningAlgorithm
  /** What must not become live on this server, such as development keys in production. */
  readonly problems: readonly Problem[]
}

/** Texts come from anyone with a role: checking them is bounded in time and memory. */
export interface VersionChecks {
  /** Every check of a tenant's folder, its own test cases included. */
  check(tenant: string, sources: SourceTexts): Promise<CheckedVersion>
  /** Of a version that is to become live. */
  read(tenant: string, content: VersionContent): Promise<VersionFacts>
  /**
   * Ids of the agents of a version that is replaced. Of one that cannot be read any more, every name that could be one:
   * it has to be replaceable all the same.
   */
  replacedAgents(tenant: string, content: VersionContent): Promise<Iterable<string>>
  /** What differs, entry by entry; `before` undefined: a new tenant. */
  changes(
    tenant: string,
    before: VersionContent | undefined,
    after: VersionContent,
  ): Promise<readonly string[]>
}
