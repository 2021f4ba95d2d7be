/** One bounded GET: no redirects, so many seconds for everything, so many bytes. */
import { type JsonObject, readStrictJson } from './strict-json.ts'

export const MAX_BODY_BYTES = 262_144

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface FetchRules {
  readonly headers: Readonly<Record<string, string>>
  readonly milliseconds: number
  readonly maxBytes: number
}

/** Returns the body of a 200; throws an Error that names what is wrong in plain words. */
export async function fetchBytes(
  url: string,
  fetch: Fetch,
  { headers, milliseconds, maxBytes }: FetchRules,
): Promise<Uint8Array> {
  const abort = new AbortController()
  // Covers the body too: a server that drips bytes gets no more time than one that is silent.
  const timer = setTimeout(() => abort.abort(), milliseconds)
  try {
    const response = await fetch(url, {
      headers,
      // A redirect is answered as it is, and refused by its status. (workerd knows no `error`.)
      redirect: 'manual',
      signal: abort.signal,
    })
    if (response.status !== 200) throw new Error(`status ${response.status} of ${url}`)
    return await readBody(response, abort.signal, maxBytes)
  } finally {
    clearTimeout(timer)
    abort.abort()
  }
}

export async function readBody(
  response: Response,
  signal: AbortSignal,
  maxBytes: number,
): Promise<Uint8Array> {
  const body: ReadableStream<Uint8Array<ArrayBuffer>> | null = response.body
  if (body === null) return new Uint8Array()
  const reader = body.getReader()
  signal.addEventListener('abort', () => void reader.cancel().catch(() => undefined))
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (signal.aborted) throw new Error(`timeout of ${response.url}`)
    if (done) return new Uint8Array(await new Blob(chunks).arrayBuffer())
    length += value.length
    if (length > maxBytes) throw new Error(`too large: ${response.url}`)
    chunks.push(value)
  }
}

/** The same for a JSON object of the issuer: 5 seconds, 256 KB, strict JSON. */
export async function fetchJson(url: string, fetch: Fetch): Promise<JsonObject> {
  const bytes = await fetchBytes(url, fetch, {
    // K04: keys are asked of the issuer, not of a cache that has yet to hear of a change.
    headers: { accept: 'application/json', 'cache-control': 'no-cache' },
    milliseconds: 5_000,
    maxBytes: MAX_BODY_BYTES,
  })
  const value = readStrictJson(bytes)
  if (value === undefined) throw new Error(`no JSON object at ${url}`)
  return value
}
