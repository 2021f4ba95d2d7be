/** The token a hop is made from, and what it may become. */
import type { Ceiling } from '../core/ceiling.ts'
import type { Lineage } from '../core/delegated-claims.ts'
import type { TaskType } from '../core/tenant.ts'

export interface Parent {
  readonly taskType: TaskType
  readonly lineage: Lineage
  /** `jti` of the token presented; the root's own where the hop opens its task. */
  readonly parent: string
  readonly ceiling: Ceiling
  readonly opens: boolean
}
