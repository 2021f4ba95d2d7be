/** Express 4 and 5: a request is let through, or answered. What a report is kept as differs between adapters. */
import type { VerificationReport } from '../report.ts'
import type { RouteNeed, Verifier } from '../verifier.ts'
import { judge, type NodeRequest } from './verdict.ts'

export interface ExpressRequest extends NodeRequest {
  readonly method: string
  readonly originalUrl: string
  readonly body?: unknown
}

export interface ExpressAnswer {
  status(code: number): unknown
  set(headers: Record<string, string>): unknown
  json(body: unknown): unknown
}

type Middleware<Request, Response> = (
  request: Request,
  response: Response,
  next: (error?: unknown) => void,
) => Promise<void>

export function guard<Request extends ExpressRequest, Response extends ExpressAnswer>(
  verifier: Verifier,
  need: RouteNeed,
  keep: (report: VerificationReport, request: Request, response: Response) => void,
): Middleware<Request, Response> {
  return async (request, response, next) => {
    try {
      const { method, originalUrl: url, body } = request
      const verdict = await judge(verifier, need, { request, method, url, body })
      if (verdict.ok) {
        keep(verdict.report, request, response)
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
