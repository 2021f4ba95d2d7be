/** Where the use of a tenant's facts is kept, declared by its user (usage.ts). */
import type { Use } from '../core/sprawl.ts'

/** Kept durably, apart from everything that is decided by. Each verb is one step across processes. */
export interface UsageStore {
  /** Names that are not known begin at `since`; the others stay as they are. */
  observe(tenant: string, names: readonly string[], since: number): Promise<void>
  /** Later uses count, whoever noted them; of names that are not known nothing does. */
  recordUses(tenant: string, uses: ReadonlyMap<string, number>): Promise<void>
  forget(tenant: string, names: readonly string[]): Promise<void>
  read(tenant: string): ReadonlyMap<string, Use>
}
