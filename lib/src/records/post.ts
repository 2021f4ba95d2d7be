/** One bounded POST: no redirects, so many seconds for everything, so many bytes of an answer. */
import { type Fetch, readBody } from '../fetch-bytes.ts'
import { type JsonObject, readStrictJson } from '../strict-json.ts'

const LONGEST_MS = 10_000
const LARGEST_ANSWER = 262_144

export interface Posting {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Of whoever does not want to wait any more. */
  readonly signal: AbortSignal
}

export interface Posted {
  readonly status: number
  readonly headers: Headers
  /** Undefined where it is no JSON object. */
  readonly body: JsonObject | undefined
}

/** Whatever the status; throws an Error that says in plain words why there is no answer. */
export async function post(
  url: string,
  fetch: Fetch,
  { headers, body, signal }: Posting,
): Promise<Posted> {
  const abort = new AbortController()
  const stop = (): void => abort.abort()
  const timer = setTimeout(stop, LONGEST_MS)
  signal.addEventListener('abort', stop)
  try {
    signal.throwIfAborted()
    const response = await fetch(url, {
      method: 'POST',
      headers: { accept: 'application/json', ...headers },
      body,
      // What is sent here is for this address alone.
      redirect: 'manual',
      signal: abort.signal,
    })
    const bytes = await readBody(response, abort.signal, LARGEST_ANSWER)
    return { status: response.status, headers: response.headers, body: readStrictJson(bytes) }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    stop()
  }
}
