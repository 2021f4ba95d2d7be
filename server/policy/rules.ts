/** A tenant's rules as an engine: which policies a question needs, what they may read of it, and the answer. */
import type { Rules } from '../core/rules.ts'
import type { Tenant } from '../core/tenant.ts'
import type { CompiledPolicy } from './compiled-policy.ts'

export type RuleFacts = Pick<Tenant, 'id' | 'agents' | 'resources' | 'scopes' | 'taskTypes'>

export function createRules(_facts: RuleFacts, _policies: readonly CompiledPolicy[]): Rules {
  return {
    answer: () => {
      throw new TypeError('not built')
    },
  }
}
