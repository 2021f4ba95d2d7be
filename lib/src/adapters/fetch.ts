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
    const verdict = await verdictOf(verifier, need, fieldsOf(request, verifier.facts.certificateOf))
    if (verdict.ok) {
      const answer = await handler(request, verdict.report, ...rest)
      const names = Object.entries(verdict.headers)
      // A change of protocol can be neither copied nor added to.
      if (names.length === 0 || answer.status === 101) return answer
      // A copy: headers of an answer that was fetched cannot be changed.
      const copy = new Response(answer.body, answer)
      for (const [name, value] of names) copy.headers.set(name, value)
      return copy
    }
    const { status, headers, body } = verdict.answer
    return new Response(JSON.stringify(body), { status, headers: { ...headers } })
  }
}
