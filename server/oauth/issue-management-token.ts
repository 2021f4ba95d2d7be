/** A management token on its way out: signed, put on record, answered. */
import { randomUUID } from 'node:crypto'
import type { Keyring } from '../../keys/keyring.ts'
import type { DecisionRecord } from '../use-cases/decision-record.ts'
import type { SignedIn } from '../use-cases/management-access.ts'
import type { AuditLog, Clock } from '../use-cases/ports.ts'
import {
  type ClientClaims,
  MANAGEMENT_LIFETIME,
  mintManagementToken,
  type OperatorClaims,
  type PersonClaims,
} from './management-token.ts'

type Timeless<Claims> = Omit<Claims, 'iat' | 'exp' | 'jti' | 'cnf'>

export interface Issuing {
  readonly keyring: Keyring
  readonly record: DecisionRecord
  readonly claims: Timeless<OperatorClaims> | Timeless<PersonClaims> | Timeless<ClientClaims>
  /** Thumbprint of the proven key; undefined: bound to none. */
  readonly jkt: string | undefined
}

/** The entry is durable before the token leaves. */
export async function issueManagementToken(
  deps: { readonly clock: Clock; readonly audit: AuditLog },
  { keyring, record, claims, jkt }: Issuing,
): Promise<SignedIn> {
  const now = deps.clock.now()
  const { client_id: client, sub, scope, aud } = claims
  const cnf = jkt === undefined ? undefined : { jkt }
  const times = { iat: now, exp: now + MANAGEMENT_LIFETIME, jti: randomUUID() }
  const token = await mintManagementToken(keyring, {
    ...claims,
    ...times,
    ...(cnf === undefined ? {} : { cnf }),
  })
  const { jti, exp } = times
  record.note({ client, subject: sub, target: aud, jti, expires_at: exp })
  record.note({ scope_after: scope.split(' ') })
  // Who is to end something on a full disk has to sign in first.
  await deps.audit.appendRevocation(record.permitted(now))
  return { token, expiresIn: MANAGEMENT_LIFETIME, scope, cnf }
}
