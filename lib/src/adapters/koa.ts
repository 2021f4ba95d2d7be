/** Koa: middleware that lets a request through with its report in `ctx.state.verification`. */
import type { RouteNeed, Verifier } from '../verifier.ts'
import { judge, type NodeRequest } from './verdict.ts'

export interface KoaContext {
  readonly req: NodeRequest
  readonly request: object
  readonly method: string
  readonly originalUrl: string
  readonly state: Record<string, unknown>
  status: number
  body: unknown
  set(headers: Record<string, string>): void
}

export type KoaMiddleware = (ctx: KoaContext, next: () => Promise<unknown>) => Promise<void>

export function protect(verifier: Verifier, need: RouteNeed): KoaMiddleware {
  return async (ctx, next) => {
    const { req, request, method, originalUrl } = ctx
    const body: unknown = Reflect.get(request, 'body')
    const verdict = await judge(verifier, need, { request: req, method, url: originalUrl, body })
    if (verdict.ok) {
      ctx.state['verification'] = verdict.report
      ctx.set({ ...verdict.headers })
      await next()
      return
    }
    ctx.status = verdict.answer.status
    ctx.set({ ...verdict.answer.headers })
    ctx.body = verdict.answer.body
  }
}
