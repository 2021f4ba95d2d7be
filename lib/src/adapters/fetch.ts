/** Fetch handlers (workerd, Deno, Bun, Hono and the like): the handler gets the report as its second argument. */
import { fieldsOf } from '../presentation.ts'
import type { VerificationReport } from '../report.ts'
import type { RouteNeed, Verifier } from '../verifier.ts'
import { verdictOf } from './verdict.ts'

export type VerifiedHandler<Rest extends readonly unknown[]> = (
  request: Request,
  report: VerificationReport,
  ...rest: Rest
) => Response | Promise<Response>

export function protect<Rest extends readonly unknown[]>(
  verifier: Verifier,
  need: RouteNeed,
  handler: VerifiedHandler<Rest>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  return async (request, ...rest) => {
    const verdict = await verdictOf(verifier, need, fieldsOf(request))
    if (verdict.ok) return handler(request, verdict.report, ...rest)
    const { status, headers, body } = verdict.answer
    return new Response(JSON.stringify(body), { status, headers: { ...headers } })
  }
}
