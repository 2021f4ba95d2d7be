/** The token a hop is made from, and what it may become. */
import type { Ceiling } from '../core/ceiling.ts'
import type { Lineage } from '../core/delegated-claims.ts'
import type { OpenedRoot } from '../core/open-root.ts'
import type { Subject, TaskFacts } from '../core/rules.ts'
import type { TaskType } from '../core/tenant.ts'
import type { SubjectTokenId } from './ports.ts'

export interface Parent {
  readonly taskType: TaskType
  readonly lineage: Lineage
  /** `jti` of the token presented; the root's own where the hop opens its task. */
  readonly parent: string
  readonly ceiling: Ceiling
  /** Agent ids from the root to the caller: the chain the new token will have. */
  readonly chain: readonly string[]
  /** Undefined where an agent acts on its own behalf. */
  readonly subject: Subject | undefined
  readonly task: TaskFacts
  /** Where the hop opens its task: what the rules said to that, and with which token. */
  readonly opened:
    | (Pick<OpenedRoot, 'policies' | 'obligations'> & {
        readonly subjectToken: SubjectTokenId | undefined
      })
    | undefined
}
