/** Fastify 4 and 5: a `preHandler` that lets a request through with its report in `request.verification`. */
import type { VerificationReport } from '../report.ts'
import type { RouteNeed, Verifier } from '../verifier.ts'
import { judge, type NodeRequest } from './verdict.ts'

export interface FastifyRequest {
  readonly raw: NodeRequest
  readonly method: string
  readonly originalUrl: string
  readonly body?: unknown
  /** Declare it once: `app.decorateRequest('verification', null)`. */
  verification?: VerificationReport | null
}

export interface FastifyReply {
  code(status: number): unknown
  headers(headers: Record<string, string>): unknown
  send(body: unknown): unknown
}

export type FastifyHook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

export function protect(verifier: Verifier, need: RouteNeed): FastifyHook {
  return async (request, reply) => {
    const { raw, method, originalUrl: url, body } = request
    const verdict = await judge(verifier, need, { request: raw, method, url, body })
    if (verdict.ok) {
      request.verification = verdict.report
      reply.headers({ ...verdict.headers })
      return undefined
    }
    reply.code(verdict.answer.status)
    reply.headers({ ...verdict.answer.headers })
    // A hook that returns the reply has answered: the route does not run.
    return reply.send(verdict.answer.body)
  }
}
