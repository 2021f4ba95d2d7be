/**
 * The public documents of each tenant: metadata in both well-known forms (RFC 8414 §3.1) and the key set. Any other path
 * is not found, as an RFC 9457 problem.
 */
import Koa from 'koa'
import { REASONS } from '../core/refusal.ts'
import { exactPath } from './dispatch.ts'

export interface TenantDocuments {
  readonly metadata: unknown
  readonly jwks: unknown
}

const ID = '([a-z][a-z0-9-]{0,62})'
const NAME = '(?:oauth-authorization-server|openid-configuration)'
const METADATA = [
  new RegExp(`^/\\.well-known/${NAME}/t/${ID}$`),
  new RegExp(`^/t/${ID}/\\.well-known/${NAME}$`),
] as const
const JWKS = new RegExp(`^/t/${ID}/jwks$`)
/** Seconds a copy may be used: a new key is published at least twice as long before it signs. */
const MAX_AGE = 300

export interface DocumentsDeps {
  /** Undefined where there is no such tenant; throws where it cannot be told now. */
  readonly documentsOf: (tenant: string) => TenantDocuments | undefined
  readonly onFault: (fault: unknown) => void
}

export function createDocuments({ documentsOf, onFault }: DocumentsDeps): Koa {
  const app = new Koa()
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch (fault) {
      onFault(fault)
      problem(ctx, REASONS.unavailable.status, 'unavailable', 'The server cannot tell now.')
    }
  })
  app.use((ctx) => {
    ctx.set('x-content-type-options', 'nosniff')
    const found = find(documentsOf, exactPath(ctx.req))
    if (found === undefined) return problem(ctx, 404, 'not_found', 'There is nothing at this path.')
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.set('allow', 'GET, HEAD')
      return problem(ctx, 405, 'method_not_allowed', 'This document is read with GET.')
    }
    ctx.set('cache-control', `public, max-age=${MAX_AGE}`)
    // Public by nature, and read by verifiers that run in a page.
    ctx.set('access-control-allow-origin', '*')
    ctx.body = found
  })
  return app
}

function find(documentsOf: (tenant: string) => TenantDocuments | undefined, path: string): unknown {
  const jwks = JWKS.exec(path)?.[1]
  if (jwks !== undefined) return documentsOf(jwks)?.jwks
  const tenant = METADATA.map((form) => form.exec(path)?.[1]).find((id) => id !== undefined)
  return tenant === undefined ? undefined : documentsOf(tenant)?.metadata
}

/** RFC 9457 §3. */
function problem(ctx: Koa.Context, status: number, reason: string, detail: string): void {
  ctx.status = status
  ctx.body = JSON.stringify({ type: 'about:blank', status, reason, detail })
  ctx.type = 'application/problem+json'
  ctx.set('cache-control', 'no-store')
}
