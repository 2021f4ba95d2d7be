/**
 * One bounded GET of a JSON object: no redirects, 5 seconds for everything, 256 KB, strict JSON.
 */
import { type JsonObject, readStrictJson } from './strict-json.ts'

export const MAX_BODY_BYTES = 262_144
const TIMEOUT_MILLISECONDS = 5_000

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** Returns the object; throws an Error that names what is wrong in plain words. */
export async function fetchJson(url: string, fetch: Fetch): Promise<JsonObject> {
  const abort = new AbortController()
  // Covers the body too: a server that drips bytes gets no more time than one that is silent.
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MILLISECONDS)
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      // A redirect is answered as it is, and refused by its status. (workerd knows no `error`.)
      redirect: 'manual',
      signal: abort.signal,
    })
    if (response.status !== 200) throw new Error(`status ${response.status} of ${url}`)
    const value = readStrictJson(await readBody(response, abort.signal))
    if (value === undefined) throw new Error(`no JSON object at ${url}`)
    return value
  } finally {
    clearTimeout(timer)
    abort.abort()
  }
}

async function readBody(response: Response, signal: AbortSignal): Promise<Uint8Array> {
  const body: ReadableStream<Uint8Array> | null = response.body
  if (body === null) return new Uint8Array()
  const reader = body.getReader()
  signal.addEventListener('abort', () => void reader.cancel().catch(() => undefined))
  const bytes = new Uint8Array(MAX_BODY_BYTES)
  let filled = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (signal.aborted) throw new Error(`timeout of ${response.url}`)
    if (done) return bytes.subarray(0, filled)
    if (filled + value.length > MAX_BODY_BYTES) throw new Error(`too large: ${response.url}`)
    bytes.set(value, filled)
    filled += value.length
  }
}
