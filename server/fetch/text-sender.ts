/** Posts a short text to an address of the operator's, and reads the short text that comes back: a stranger's. */
import { FetchFault } from './fetch-fault.ts'
import { createWayOut, type Passage, readBounded, type WayOutDeps } from './way-out.ts'

export interface SentText {
  readonly url: string
  readonly text: string
  readonly authorization: string | undefined
}

export type TextAnswer =
  | {
      readonly kind: 'answered'
      readonly status: number
      /** Media type without parameters, in small letters. */
      readonly type: string | undefined
      readonly text: string
    }
  | { readonly kind: 'failed'; readonly why: string }

const DEADLINE_MS = 5000
const LARGEST_ANSWER = 16 * 1024

/** Returns `sendText`, which never throws. `closing` aborts what is under way. */
export function createTextSender(
  deps: WayOutDeps,
  closing: AbortSignal,
): (sent: SentText) => Promise<TextAnswer> {
  const deadline = () => AbortSignal.any([closing, AbortSignal.timeout(DEADLINE_MS)])
  const out = createWayOut({ deadline, ...deps })
  return async (sent) => {
    try {
      return await out(sent.url, async (passage) => post(passage, sent))
    } catch (fault) {
      return { kind: 'failed', why: fault instanceof FetchFault ? fault.code : 'fault' }
    }
  }
}

async function post({ agent, url, signal }: Passage, sent: SentText): Promise<TextAnswer> {
  const { statusCode, headers, body } = await agent.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: 'POST',
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      accept: 'text/plain, */*',
      'accept-encoding': 'identity',
      ...(sent.authorization === undefined ? {} : { authorization: sent.authorization }),
    },
    body: sent.text,
    signal,
  })
  // A redirect is a status like any other: what authorizes us would leave the configured address (attack case P04).
  const bytes = await readBounded(body, LARGEST_ANSWER)
  if (headers['content-encoding'] !== undefined) throw new FetchFault('document_refused')
  return {
    kind: 'answered',
    status: statusCode,
    type: mediaType(headers['content-type']),
    text: decode(bytes),
  }
}

function mediaType(stated: string | string[] | undefined): string | undefined {
  return typeof stated === 'string' ? stated.split(';')[0]?.trim().toLowerCase() : undefined
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new FetchFault('document_refused')
  }
}
