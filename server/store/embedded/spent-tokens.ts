/** Subject tokens of revoked tasks: they open no task any more. Kept among what is used up, and swept with it. */
import type { SubjectTokenId } from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { replayKey } from './keys.ts'

const SPENT = Buffer.from([1])
/** Longer than any clock believes the token. */
const GRACE_SECONDS = 120

function spentKey(tenant: string, { id, expiresAt }: SubjectTokenId): Buffer {
  return replayKey({ tenant, kind: 'subject_token', id, expiresAt: expiresAt + GRACE_SECONDS })
}

export function isSpent(
  environment: Environment,
  tenant: string,
  token: SubjectTokenId | undefined,
): boolean {
  return token !== undefined && environment.has(spentKey(tenant, token))
}

/** Inside a transaction. */
export function spend(
  environment: Environment,
  tenant: string,
  token: SubjectTokenId | undefined,
): void {
  if (token !== undefined) environment.put(spentKey(tenant, token), SPENT)
}
