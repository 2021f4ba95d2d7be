/**
 * What verifiers read of a tenant: its status lists, where they are, and the feed that says when one changed. Public and
 * read only: every answer is the same for whoever asks, and signed where it matters (Token Status List §8, §9).
 */
import { createHash } from 'node:crypto'
import Koa from 'koa'
import type { Tenant } from '../core/tenant.ts'
import { LIST_TTL, type ListPublisher } from '../use-cases/publish-list.ts'
import { exactPath, type RequestListener } from './dispatch.ts'
import { EVENT_STREAM, type FeedStreams, STREAM_HEADERS } from './feed.ts'
import { sendProblem } from './problem.ts'

export interface StatusDeps {
  /** Undefined where there is no such tenant; throws where it cannot be told now. */
  readonly tenantOf: (id: string) => Tenant | undefined
  readonly lists: ListPublisher
  readonly streams: FeedStreams
  readonly onFault: (fault: unknown) => void
}

const PATH =
  /^\/t\/([a-z][a-z0-9-]{0,62})\/(?:status(?:\/(g[0-9a-z]{1,12}-[0-9a-z]{1,12}))?|(events))$/

const LIST_TYPE = 'application/statuslist+jwt'

type Document =
  | { readonly kind: 'list'; readonly list: string; readonly type: string }
  | { readonly kind: 'aggregation' | 'events'; readonly type: string }

export function createStatus(deps: StatusDeps): RequestListener {
  const app = new Koa()
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch (fault) {
      deps.onFault(fault)
      ctx.set('retry-after', '1')
      sendProblem(ctx, 'unavailable')
    }
  })
  app.use(async (ctx) => {
    ctx.set('x-content-type-options', 'nosniff')
    const [, id, list, events] = PATH.exec(exactPath(ctx.req)) ?? []
    const tenant = id === undefined ? undefined : deps.tenantOf(id)
    if (tenant === undefined) return sendProblem(ctx, 'not_found')
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.set('allow', 'GET, HEAD')
      return sendProblem(ctx, 'method_not_allowed')
    }
    const document = documentOf(list, events)
    // RFC 9110 §12.5.1. Token Status List §8.1: of the two forms of a list the JWT is offered.
    ctx.vary('accept')
    if (ctx.accepts(document.type) === false) return sendProblem(ctx, 'not_acceptable')
    switch (document.kind) {
      case 'list':
        // Token Status List §8.4: the present alone is told.
        if (ctx.query['time'] !== undefined) return sendProblem(ctx, 'history_not_kept')
        return sendList(ctx, await deps.lists.find(tenant, document.list))
      case 'aggregation':
        // Token Status List §9.3.
        return sendPublic(
          ctx,
          document.type,
          JSON.stringify({ status_lists: deps.lists.uris(tenant) }),
        )
      case 'events':
        return openStream(ctx, tenant, deps.streams)
    }
  })
  return app.callback() as RequestListener
}

function documentOf(list: string | undefined, events: string | undefined): Document {
  if (list !== undefined) return { kind: 'list', list, type: LIST_TYPE }
  if (events !== undefined) return { kind: 'events', type: EVENT_STREAM }
  return { kind: 'aggregation', type: 'application/json' }
}

/** Another tenant's list, one that is over and one that never was are the same nothing (attack case F05). */
function sendList(ctx: Koa.Context, token: string | undefined): void {
  if (token === undefined) return sendProblem(ctx, 'not_found')
  ctx.etag = createHash('sha256').update(token).digest('base64url')
  sendPublic(ctx, LIST_TYPE, token)
  // RFC 9110 §13.1.2.
  if (ctx.fresh) ctx.status = 304
}

function sendPublic(ctx: Koa.Context, type: string, body: string): void {
  ctx.set('content-type', type)
  ctx.set('cache-control', `public, max-age=${LIST_TTL}`)
  // Token Status List §8.1: public by nature, and read by verifiers that run in a page.
  ctx.set('access-control-allow-origin', '*')
  ctx.status = 200
  ctx.body = body
}

function openStream(ctx: Koa.Context, tenant: Tenant, streams: FeedStreams): void {
  if (ctx.method === 'HEAD') {
    ctx.set({ ...STREAM_HEADERS, 'content-type': EVENT_STREAM })
    ctx.status = 200
    ctx.res.end()
    return
  }
  const problem = streams.open(tenant.id, ctx.req, ctx.res)
  if (problem === undefined) {
    ctx.respond = false
    return
  }
  ctx.set('retry-after', '5')
  sendProblem(ctx, problem)
}
