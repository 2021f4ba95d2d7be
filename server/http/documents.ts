/**
 * The public documents of each tenant: metadata in both well-known forms (RFC 8414 §3.1) and the key set. Any other path
 * is not found, as an RFC 9457 problem; a person who was sent to the authorization endpoint is told that there is nothing to do.
 */
import Koa from 'koa'
import { exactPath } from './dispatch.ts'
import { sendProblem } from './problem.ts'

export interface TenantDocuments {
  readonly metadata: unknown
  readonly jwks: unknown
  /** Seconds a copy may be used: a new key is published at least twice as long before it signs. */
  readonly maxAge: number
}

const ID = '([a-z][a-z0-9-]{0,62})'
const NAME = '(?:oauth-authorization-server|openid-configuration)'
const METADATA = [
  new RegExp(`^/\\.well-known/${NAME}/t/${ID}$`),
  new RegExp(`^/t/${ID}/\\.well-known/${NAME}$`),
] as const
const JWKS = new RegExp(`^/t/${ID}/jwks$`)
const AUTHORIZE = new RegExp(`^/t/${ID}/authorize$`)

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
    const path = exactPath(ctx.req)
    const asked = AUTHORIZE.exec(path)?.[1]
    // RFC 6749 §4.1.2.1: no client has a redirect URI, so it is the person who is told.
    if (asked !== undefined && documentsOf(asked) !== undefined)
      return sendProblem(ctx, 'authorization_not_offered')
    const found = find(documentsOf, path)
    if (found === undefined) return sendProblem(ctx, 'not_found')
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.set('allow', 'GET, HEAD')
      return sendProblem(ctx, 'method_not_allowed')
    }
    ctx.set('cache-control', `public, max-age=${found.maxAge}`)
    // Public by nature, and read by verifiers that run in a page.
    ctx.set('access-control-allow-origin', '*')
    ctx.body = found.body
  })
  return app
}

interface Found {
  readonly body: unknown
  readonly maxAge: number
}

function find(
  documentsOf: (tenant: string) => TenantDocuments | undefined,
  path: string,
): Found | undefined {
  const ofKeys = JWKS.exec(path)?.[1]
  const id = ofKeys ?? METADATA.map((form) => form.exec(path)?.[1]).find((named) => named)
  const documents = id === undefined ? undefined : documentsOf(id)
  if (documents === undefined) return undefined
  const { metadata, jwks, maxAge } = documents
  return { body: ofKeys === undefined ? metadata : jwks, maxAge }
}
