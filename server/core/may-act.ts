/**
 * RFC 8693 §4.4: `may_act` of a foreign subject token names who may become the actor. We issue none.
 * When present it decides: every identity member it has must name the caller, and a member we do not know refuses.
 */
import { type Refusal, refuse } from './refusal.ts'

export interface ActorIdentity {
  readonly sub: string
  readonly iss: string
  readonly client_id: string
}

const IDENTITY = ['sub', 'iss', 'client_id'] as const
/** RFC 8693 §4.4: these have no meaning inside may_act. */
const WITHOUT_MEANING: ReadonlySet<string> = new Set(['exp', 'nbf', 'aud'])

/** Undefined where the caller is the actor it names, or where there is no `may_act`. */
export function checkMayAct(mayAct: unknown, caller: ActorIdentity): Refusal | undefined {
  if (mayAct === undefined) return undefined
  if (typeof mayAct !== 'object' || mayAct === null || Array.isArray(mayAct)) {
    return refuse('may_act_mismatch', 'may_act_malformed')
  }
  const named = new Map(Object.entries(mayAct))
  for (const member of named.keys()) {
    if (!isIdentity(member) && !WITHOUT_MEANING.has(member)) {
      return refuse('may_act_mismatch', 'may_act_unknown_member')
    }
  }
  const identities = IDENTITY.filter((member) => named.has(member))
  // `iss` alone names nobody.
  if (!named.has('sub') && !named.has('client_id')) {
    return refuse('may_act_mismatch', 'may_act_names_nobody')
  }
  return identities.every((member) => named.get(member) === caller[member])
    ? undefined
    : refuse('may_act_mismatch')
}

function isIdentity(member: string): boolean {
  return (IDENTITY as readonly string[]).includes(member)
}
