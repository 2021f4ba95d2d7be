/**
 * The public documents of each tenant: metadata in both well-known forms (RFC 8414 §3.1) and the key set. Any other path
 * is not found, as an RFC 9457 problem.
 */
import Koa from 'koa'
import { exactPath } from './dispatch.ts'
import { sendProblem } from './problem.ts'

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
      sendProblem(ctx, 'unavailable')
    }
  })
  app.use((ctx) => {
    ctx.set('x-content-type-options', 'nosniff')
    const found = find(documentsOf, exactPath(ctx.req))
    if (found === undefined) return sendProblem(ctx, 'not_found')
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.set('allow', 'GET, HEAD')
      return sendProblem(ctx, 'method_not_allowed')
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
