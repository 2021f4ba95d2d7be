/**
 * A Node request as the verifier needs it, for frameworks built on node:http. Raw headers are read because node keeps
 * only the first of two Authorization headers.
 */

import type { RefusalAnswer } from '../challenge.ts'
import { VerificationError } from '../errors.ts'
import { type RequestFields, readPresentation, type Scheme } from '../presentation.ts'
import type { VerificationReport } from '../report.ts'
import type { RouteNeed, Verifier } from '../verifier.ts'

/** The part of node's IncomingMessage that is read. */
export interface NodeRequest {
  readonly rawHeaders: readonly string[]
}

export interface NodeExchange {
  readonly request: NodeRequest
  readonly method: string
  /** As the client sent it, not as a router cut it. */
  readonly url: string
  /** What a body parser made of the body, if one ran. */
  readonly body?: unknown
}

export type Verdict =
  | { readonly ok: true; readonly report: VerificationReport }
  | { readonly ok: false; readonly answer: RefusalAnswer }

/** Reads and verifies one request; throws only for faults. */
export async function judge(
  verifier: Verifier,
  need: RouteNeed,
  exchange: NodeExchange,
): Promise<Verdict> {
  const fields = fieldsOf(exchange)
  return verdictOf(verifier, need, fields)
}

/** The verdict on fields read by an adapter; throws only for faults. */
export async function verdictOf(
  verifier: Verifier,
  need: RouteNeed,
  fields: RequestFields,
): Promise<Verdict> {
  try {
    return { ok: true, report: await verifier.verify(readPresentation(fields), need) }
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    const presented = schemeOf(fields.authorization[0] ?? '')
    return { ok: false, answer: verifier.challenge(error, { need, presented }) }
  }
}

function schemeOf(header: string): Scheme | undefined {
  if (/^dpop /i.test(header)) return 'DPoP'
  return /^bearer /i.test(header) ? 'Bearer' : undefined
}

function fieldsOf({ request, method, url, body }: NodeExchange): RequestFields {
  const { rawHeaders } = request
  return {
    method,
    url,
    authorization: valuesOf(rawHeaders, 'authorization'),
    proof: valuesOf(rawHeaders, 'dpop'),
    tokenInBody: typeof body === 'object' && body !== null && Object.hasOwn(body, 'access_token'),
  }
}

function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name)
}
