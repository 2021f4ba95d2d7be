/** A Node request as the verifier needs it, for frameworks built on node:http. */
import type { CertificateOf } from '../certificate.ts'
import type { RefusalAnswer } from '../challenge.ts'
import { VerificationError } from '../errors.ts'
import { type RequestFields, readPresentation, type Scheme } from '../presentation.ts'
import { headerValues } from '../raw-headers.ts'
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
  | {
      readonly ok: true
      readonly report: VerificationReport
      /** For the answer, whatever the route says. */
      readonly headers: Readonly<Record<string, string>>
    }
  | { readonly ok: false; readonly answer: RefusalAnswer }

/** Reads and verifies one request; throws only for faults. */
export async function judge(
  verifier: Verifier,
  need: RouteNeed,
  exchange: NodeExchange,
): Promise<Verdict> {
  const fields = fieldsOf(exchange, verifier.facts.certificateOf)
  return verdictOf(verifier, need, fields)
}

/** The verdict on fields read by an adapter; throws only for faults. */
export async function verdictOf(
  verifier: Verifier,
  need: RouteNeed,
  fields: RequestFields,
): Promise<Verdict> {
  try {
    const report = await verifier.verify(readPresentation(fields), need)
    return { ok: true, report, headers: headersFor(report) }
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    const presented = schemeOf(fields.authorization[0] ?? '')
    return { ok: false, answer: verifier.challenge(error, { need, presented }) }
  }
}

/** RFC 9449 §8.2: the next nonce, in an answer that no cache gives to anybody else. */
function headersFor({ nonce }: VerificationReport): Record<string, string> {
  return nonce === undefined ? {} : { 'dpop-nonce': nonce, 'cache-control': 'no-store' }
}

function schemeOf(header: string): Scheme | undefined {
  if (/^dpop /i.test(header)) return 'DPoP'
  return /^bearer /i.test(header) ? 'Bearer' : undefined
}

function fieldsOf(
  { request, method, url, body }: NodeExchange,
  certificateOf: CertificateOf | undefined,
): RequestFields {
  const { rawHeaders } = request
  return {
    method,
    url,
    authorization: headerValues(rawHeaders, 'authorization'),
    proof: headerValues(rawHeaders, 'dpop'),
    tokenInBody: typeof body === 'object' && body !== null && Object.hasOwn(body, 'access_token'),
    certificateThumbprint: certificateOf && (() => certificateOf(request)),
  }
}
