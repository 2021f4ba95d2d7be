/** Introspection and revocation of our JWT access tokens, once the library has authenticated the client. */
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Keyring } from '../../keys/keyring.ts'
import type { OwnToken } from '../core/input-token.ts'
import type { Tenant } from '../core/tenant.ts'
import type { DecisionRecord } from '../use-cases/decision-record.ts'
import { introspectToken } from '../use-cases/introspect-token.ts'
import type { AuditLog, Clock, TaskStore } from '../use-cases/ports.ts'
import { revokeToken } from '../use-cases/revoke-token.ts'
import type { SecurityEvents } from '../use-cases/security-events.ts'
import { readOwnToken } from './own-token.ts'
import { requestState } from './request-state.ts'

interface Deps {
  readonly clock: Clock
  readonly tasks: TaskStore
  readonly audit: AuditLog
  readonly keyringOf: (tenant: Tenant) => Keyring
}

/** RFC 7662 §2.2: the claims of an active token, or `{"active":false}` and nothing else. Hints are ignored (§2.1). */
export async function answerIntrospection(
  ctx: KoaContextWithOIDC,
  tenant: Tenant,
  deps: Deps,
): Promise<void> {
  const client = clientOf(ctx)
  const token = tokenOf(ctx, tenant, deps)
  const claims = await introspectToken(deps, { tenant, client, token })
  ctx.status = 200
  ctx.body =
    claims === undefined
      ? { active: false }
      : { active: true, token_type: claims.cnf?.jkt === undefined ? 'Bearer' : 'DPoP', ...claims }
}

/** RFC 7009 §2.2: 200, whatever the token was. */
export async function answerRevocation(
  ctx: KoaContextWithOIDC,
  tenant: Tenant,
  deps: Deps & { readonly record: DecisionRecord; readonly securityEvents: SecurityEvents },
): Promise<void> {
  const client = clientOf(ctx)
  const { record } = deps
  record.note({ client })
  await revokeToken(deps, { tenant, client, token: tokenOf(ctx, tenant, deps), record })
  ctx.status = 200
  // RFC 7009 §2.2: nothing to read. The library has announced JSON by now.
  ctx.remove('content-type')
  ctx.body = ''
}

function clientOf(ctx: KoaContextWithOIDC): string {
  const id = requestState(ctx).client
  if (id === undefined) throw new TypeError('the client is not authenticated')
  return id
}

function tokenOf(ctx: KoaContextWithOIDC, tenant: Tenant, deps: Deps): OwnToken | undefined {
  const text = ctx.oidc.params?.['token']
  if (typeof text !== 'string') return undefined
  const token = readOwnToken(tenant, deps.keyringOf(tenant), text)
  return typeof token === 'string' ? undefined : token
}
