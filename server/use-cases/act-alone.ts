/**
 * An agent on its own behalf (client credentials, RFC 6749 §4.4): a task whose subject is the agent itself, with one hop
 * and no `act` (docs/chain-format.md §1).
 */
import { attenuate } from '../core/attenuate.ts'
import { keyProofOf, type ProvenKey } from '../core/input-token.ts'
import { findTaskType } from '../core/open-root.ts'
import { isRefusal, type Refusal } from '../core/refusal.ts'
import { findTarget, type TargetRequest } from '../core/target.ts'
import type { Agent, Tenant } from '../core/tenant.ts'
import type { DecisionRecord } from './decision-record.ts'
import { type Granted, type IssueDeps, issueHop } from './issue-hop.ts'
import { openTask } from './open-task.ts'

export interface AloneInput {
  readonly tenant: Tenant
  readonly caller: Agent
  readonly key: ProvenKey
  readonly target: TargetRequest
  readonly scope: readonly string[] | undefined
  readonly taskType: string | undefined
  readonly purpose: string | undefined
  readonly record: DecisionRecord
}

export async function actAlone(deps: IssueDeps, input: AloneInput): Promise<Granted | Refusal> {
  const now = deps.clock.now()
  const { tenant, caller, key, record, purpose } = input
  const chain = [caller.id]
  record.note({ subject: caller.id, way_in: 'client', chain, anomalies: [] })
  const target = findTarget(tenant, caller, input.target)
  if (!isRefusal(target)) record.note({ target: target.uri })
  const taskType = findTaskType(tenant, caller, { basis: 'client' }, input.taskType)
  if (isRefusal(taskType)) return taskType
  const opened = await openTask(deps, {
    tenant,
    opener: caller,
    taskType,
    subject: undefined,
    subjectScope: undefined,
    subjectToken: undefined,
    authentication: {},
    key,
    request: { scope: input.scope ?? [], purpose },
    record,
    now,
  })
  if (isRefusal(opened)) return opened
  if (isRefusal(target)) return target
  const attenuated = attenuate({
    tenant,
    root: opened.lineage.root,
    parent: opened.ceiling,
    taskType,
    caller,
    target,
    chain: opened.chain,
    subject: undefined,
    task: opened.task,
    key: keyProofOf(key),
    scope: input.scope,
    actorExpiresAt: undefined,
    now,
  })
  if (isRefusal(attenuated)) return attenuated
  return issueHop(deps, { tenant, caller, parent: opened, purpose, attenuated, key, record, now })
}
