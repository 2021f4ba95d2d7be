/** Refusals at public documents: problems of RFC 9457, the same words to everybody. Nothing of a request is in one. */
import type Koa from 'koa'

const PROBLEMS = {
  authorization_not_offered: {
    status: 400,
    detail: 'Nothing is authorized in a browser here. Clients ask at the token endpoint.',
  },
  not_found: { status: 404, detail: 'There is nothing at this path.' },
  method_not_allowed: { status: 405, detail: 'This document is read with GET.' },
  not_acceptable: { status: 406, detail: 'This document has another media type than you accept.' },
  history_not_kept: { status: 501, detail: 'Only the present state is told here.' },
  too_many_listeners: { status: 503, detail: 'No more listeners are taken now; try again later.' },
  unavailable: { status: 503, detail: 'The server cannot tell now.' },
} as const

export type PublicProblem = keyof typeof PROBLEMS

/** RFC 9457 §3. */
export function sendProblem(ctx: Koa.Context, reason: PublicProblem): void {
  const { status, detail } = PROBLEMS[reason]
  ctx.status = status
  ctx.body = JSON.stringify({ type: 'about:blank', status, reason, detail })
  ctx.type = 'application/problem+json'
  ctx.set('cache-control', 'no-store')
}
