/** Express 4 and 5: middleware that lets a request through with its report in `res.locals.verification`. */
import type { VerificationReport } from '../report.ts'
import type { RouteNeed, Verifier } from '../verifier.ts'
import { judge, type NodeRequest } from './verdict.ts'

export interface ExpressRequest extends NodeRequest {
  readonly method: string
  readonly originalUrl: string
  readonly body?: unknown
}

export interface ExpressResponse {
  /** Typed, so that a route behind the middleware knows what it gets. */
  readonly locals: { verification: VerificationReport }
  status(code: number): unknown
  set(headers: Record<string, string>): unknown
  json(body: unknown): unknown
}

export type ExpressMiddleware = (
  request: ExpressRequest,
  response: ExpressResponse,
  next: (error?: unknown) => void,
) => Promise<void>

export function protect(verifier: Verifier, need: RouteNeed): ExpressMiddleware {
  return async (request, response, next) => {
    try {
      const { method, originalUrl: url, body } = request
      const verdict = await judge(verifier, need, { request, method, url, body })
      if (verdict.ok) {
        response.locals.verification = verdict.report
        response.set({ ...verdict.headers })
      } else {
        response.status(verdict.answer.status)
        response.set({ ...verdict.answer.headers })
        response.json(verdict.answer.body)
        return
      }
    } catch (fault) {
      next(fault)
      return
    }
    // Outside the try: what the route throws is not ours to catch.
    next()
  }
}
