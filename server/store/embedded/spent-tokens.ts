/** Subject tokens of revoked tasks: they open no task any more. Kept among what is used up, and swept with it. */
import type { SubjectTokenId } from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { spentKey } from './keys.ts'

const SPENT = Buffer.from([1])
/** Longer than any clock believes the token. */
const GRACE_SECONDS = 120

/** When it may be forgotten. By its own expiry alone: another task with it must come to the same key. */
function kept(token: SubjectTokenId): SubjectTokenId {
  return { id: token.id, expiresAt: token.expiresAt + GRACE_SECONDS }
}

export function isSpent(
  environment: Environment,
  tenant: string,
  token: SubjectTokenId | undefined,
): boolean {
  return token !== undefined && environment.has(spentKey(tenant, kept(token)))
}

/** Inside a transaction. */
export function spend(
  environment: Environment,
  tenant: string,
  token: SubjectTokenId | undefined,
): void {
  if (token !== undefined) environment.put(spentKey(tenant, kept(token)), SPENT)
}
