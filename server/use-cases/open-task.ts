/**
 * Opening a task: a root with an id and a status index of its own, and the empty chain under it. Nothing is written
 * yet: the task and its first hop are recorded in one step.
 */
import { openCeiling } from '../core/ceiling.ts'
import { type Authentication, keyProofOf, type ProvenKey } from '../core/input-token.ts'
import { openRoot } from '../core/open-root.ts'
import { isRefusal, type Refusal } from '../core/refusal.ts'
import type { RuleRequest, Subject } from '../core/rules.ts'
import type { Agent, TaskType, Tenant } from '../core/tenant.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { IssueDeps } from './issue-hop.ts'
import type { Parent } from './parent.ts'
import type { SubjectTokenId } from './ports.ts'

export interface Opening {
  readonly tenant: Tenant
  readonly opener: Agent
  readonly taskType: TaskType
  /** Undefined where the opener acts on its own behalf. */
  readonly subject: Subject | undefined
  readonly subjectScope: readonly string[] | undefined
  /** The token that opens the task; undefined where an agent opens one for itself. */
  readonly subjectToken: SubjectTokenId | undefined
  readonly authentication: Authentication
  readonly key: ProvenKey
  /** The opener's own words. */
  readonly request: RuleRequest
  readonly record: DecisionRecord
  readonly now: number
}

export async function openTask(deps: IssueDeps, opening: Opening): Promise<Parent | Refusal> {
  const { tenant, now, record } = opening
  const list = deps.statusIndexes.listAt(tenant.id, now)
  const idx = await deps.statusIndexes.allocate(tenant.id, list)
  const opened = openRoot({
    ...opening,
    key: keyProofOf(opening.key),
    ids: { jti: deps.randomId(), idx },
  })
  if (isRefusal(opened)) return opened
  const { root } = opened
  const { opener, subject, taskType } = opening
  record.note({ task_type: taskType.id, scope_before: root.scope })
  const txn = deps.randomId()
  return {
    taskType,
    parent: root.jti,
    // No token outlives the one it was exchanged for, the root's subject token included.
    ceiling: openCeiling(root, opening.subjectToken?.expiresAt),
    chain: [opener.id],
    subject,
    task: { txn, openedAt: root.iat, deadline: root.exp },
    opened: { ...opened, subjectToken: opening.subjectToken },
    lineage: {
      root,
      subject: subject?.id ?? opener.id,
      txn,
      list,
      act: undefined,
      hops: [],
      issuedAt: now,
      authentication: opening.authentication,
    },
  }
}
