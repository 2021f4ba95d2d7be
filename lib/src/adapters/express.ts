/** Express 4 and 5: middleware that lets a request through with its report in `res.locals.verification`. */
import type { VerificationReport } from '../report.ts'
import type { RouteNeed, Verifier } from '../verifier.ts'
import { type ExpressAnswer, type ExpressRequest, guard } from './guard.ts'

export type { ExpressRequest } from './guard.ts'

export interface ExpressResponse extends ExpressAnswer {
  /** Typed, so that a route behind the middleware knows what it gets. */
  readonly locals: { verification: VerificationReport }
}

export type ExpressMiddleware = (
  request: ExpressRequest,
  response: ExpressResponse,
  next: (error?: unknown) => void,
) => Promise<void>

export function protect(verifier: Verifier, need: RouteNeed): ExpressMiddleware {
  return guard(verifier, need, (report, _request, response: ExpressResponse) => {
    response.locals.verification = report
  })
}
