/** Sends a security event token to a receiver (RFC 8935 §2). The address is configured; the answer is a stranger's. */
import { FetchFault } from './fetch-fault.ts'
import {
  createWayOut,
  isJson,
  type Passage,
  parseJson,
  readBounded,
  type WayOutDeps,
} from './way-out.ts'

export interface SentEvent {
  readonly endpoint: string
  readonly token: string
  readonly authorization: string | undefined
}

export type SendAnswer =
  | { readonly kind: 'accepted' }
  /** RFC 8935 §2.3: 400 with a code of §2.4, or `malformed` in its place. */
  | { readonly kind: 'refused'; readonly err: string }
  | { readonly kind: 'failed'; readonly why: string }

export type SendEvent = (event: SentEvent) => Promise<SendAnswer>

/** A receiver that is slower gets it again. */
const DEADLINE_MS = 5000
const LARGEST_ANSWER = 8 * 1024

/** Returns `sendEvent`, which never throws. */
export function createEventSender(deps: WayOutDeps): SendEvent {
  const out = createWayOut({ deadline: () => AbortSignal.timeout(DEADLINE_MS), ...deps })
  return async (event) => {
    try {
      return await out(event.endpoint, async (passage) => post(passage, event))
    } catch (fault) {
      return { kind: 'failed', why: fault instanceof FetchFault ? fault.code : 'fault' }
    }
  }
}

async function post({ agent, url, signal }: Passage, event: SentEvent): Promise<SendAnswer> {
  const { statusCode, headers, body } = await agent.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: 'POST',
    headers: {
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      'accept-encoding': 'identity',
      ...(event.authorization === undefined ? {} : { authorization: event.authorization }),
    },
    body: event.token,
    signal,
  })
  // RFC 8935 §2.2: 202. A redirect is a failure like any other: the token would leave the configured address.
  if (statusCode === 202) return { kind: 'accepted' }
  if (statusCode !== 400) return { kind: 'failed', why: `status_${statusCode}` }
  if (!isJson(headers['content-type'])) return { kind: 'failed', why: 'status_400' }
  return { kind: 'refused', err: codeOf(parseJson(await readBounded(body, LARGEST_ANSWER))) }
}

/** The code alone: what else a stranger says is in no log. */
function codeOf(answer: unknown): string {
  const isObject = typeof answer === 'object' && answer !== null && 'err' in answer
  const code = isObject ? answer.err : undefined
  return typeof code === 'string' && /^[A-Za-z0-9_]{1,64}$/.test(code) ? code : 'malformed'
}
