/**
 * What a tenant's own rules are asked and what they answer. They come after the platform's guards and can only take away:
 * a permit here opens nothing that a guard closed. `server/policy` answers with Cedar; the answer is a pure function of the
 * question and of the tenant's version.
 */
import {
  type Agent,
  type KeyProof,
  type Resource,
  type TaskType,
  TIERS,
  type Tier,
} from './tenant.ts'

/** `open` a task, `delegate` to the agent that answers at the target, `call` an API. */
export type RuleAction = 'open' | 'delegate' | 'call'

export interface RuleQuestion {
  readonly action: RuleAction
  /** The current actor. Earlier ones stand in `chain` (RFC 8693 §4.1: information only, for those who do not delegate). */
  readonly caller: Agent
  readonly taskType: TaskType
  /** Undefined for `open`. */
  readonly target: Resource | undefined
  /** The one agent that answers at the target; undefined for an API and for `open`. */
  readonly recipient: Agent | undefined
  /** The one scope that is asked about; undefined for `open`. */
  readonly scope: string | undefined
  /** Undefined where an agent acts on its own behalf. */
  readonly subject: Subject | undefined
  /** Undefined for `open`. */
  readonly task: TaskFacts | undefined
  /** Agent ids from the root to the caller, the caller included. */
  readonly chain: readonly string[]
  /** What the caller proved a key with, in this very request. */
  readonly key: KeyProof
  /** Seconds since the epoch. */
  readonly now: number
  /** The caller's own words: untrusted, and kept apart from the facts above (attack case L01). */
  readonly request: RuleRequest
}

export interface RuleRequest {
  /** Scopes as requested; empty where the parameter was left out. */
  readonly scope: readonly string[]
  /** Only where a task is opened. */
  readonly purpose: string | undefined
}

export interface Subject {
  /** The tenant's own identifier. */
  readonly id: string
  /** Trusted issuer id. */
  readonly issuer: string
  /** The claims its issuer's trust rule believes, as they were when the task was opened. */
  readonly claims: Readonly<Record<string, readonly string[]>>
}

export interface TaskFacts {
  readonly txn: string
  /** Seconds since the epoch, both. */
  readonly openedAt: number
  readonly deadline: number
}

/** What a permit is bound to; absent members bind nothing. */
export interface Obligations {
  /** Seconds: the longest a token may live, or, of `open`, the task. */
  readonly maxTtl?: number
  /** The most agents the chain may have from here on. */
  readonly maxDepth?: number
  readonly requireKey?: RequiredKey
  /** Scopes of this tier and above need the approval of a human. */
  readonly approval?: Tier
}

/** `bound`: a key by DPoP or a certificate; `dpop`: the former alone, which is the stricter. */
export type RequiredKey = 'bound' | 'dpop'

export interface RuleAnswer {
  readonly decision: 'permit' | 'refuse'
  /** Ids of the policies that decided: every permit that holds, or every forbid that does. Empty: no rule permits. */
  readonly policies: readonly string[]
  /** The strictest of all permits that hold; empty on a refusal. */
  readonly obligations: Obligations
  /** Ids of policies whose evaluation failed. Any makes the decision `refuse`, whatever the others say. */
  readonly failed: readonly string[]
}

/** A policy and where it is written. */
export interface RulePlace {
  readonly id: string
  /** Path in the tenant's folder. */
  readonly file: string
  readonly line: number
}

export interface Rules {
  /** Every policy that can permit. */
  readonly permits: readonly RulePlace[]
  /** Throws where the engine itself fails: a fault (503), never a decision. */
  answer(question: RuleQuestion): RuleAnswer
}

/** Obligations as our own APIs and the audit log spell them. */
export interface StatedObligations {
  readonly max_ttl?: number
  readonly max_depth?: number
  readonly require_key?: RequiredKey
  readonly approval?: Tier
}

export function stated(obligations: Obligations): StatedObligations {
  const { maxTtl, maxDepth, requireKey, approval } = obligations
  return {
    ...(maxTtl === undefined ? {} : { max_ttl: maxTtl }),
    ...(maxDepth === undefined ? {} : { max_depth: maxDepth }),
    ...(requireKey === undefined ? {} : { require_key: requireKey }),
    ...(approval === undefined ? {} : { approval }),
  }
}

/** The stricter of each member. */
export function strictest(a: Obligations, b: Obligations): Obligations {
  const maxTtl = least(a.maxTtl, b.maxTtl)
  const maxDepth = least(a.maxDepth, b.maxDepth)
  const requireKey = a.requireKey === 'dpop' ? a.requireKey : (b.requireKey ?? a.requireKey)
  const approval = lowest(a.approval, b.approval)
  return {
    ...(maxTtl === undefined ? {} : { maxTtl }),
    ...(maxDepth === undefined ? {} : { maxDepth }),
    ...(requireKey === undefined ? {} : { requireKey }),
    ...(approval === undefined ? {} : { approval }),
  }
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.min(a, b)
}

function lowest(a: Tier | undefined, b: Tier | undefined): Tier | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return needsApproval(b, a) ? a : b
}

/** Whether what a caller proved is what a permit is bound to. */
export function meetsKey(key: KeyProof, required: RequiredKey | undefined): boolean {
  if (required === undefined || key === 'dpop') return true
  return required === 'bound' && key === 'mtls'
}

/** Whether a scope of `tier` needs an approval where scopes from `threshold` on do. */
export function needsApproval(tier: Tier, threshold: Tier): boolean {
  return TIERS.indexOf(tier) >= TIERS.indexOf(threshold)
}
