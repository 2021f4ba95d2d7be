/** Reads JSON of others: key sets and discovery documents. 256 KB at most, and 200 alone. */
import { FetchFault } from './fetch-fault.ts'
import {
  createWayOut,
  isJson,
  type Passage,
  parseJson,
  readBounded,
  type WayOutDeps,
} from './way-out.ts'

export type FetchJson = (url: string) => Promise<unknown>

const LARGEST_BODY = 256 * 1024

/** Returns `fetchJson(url)`: the parsed body, not yet believed in any way. It throws FetchFault only. */
export function createFetcher(deps: WayOutDeps): FetchJson {
  const out = createWayOut(deps)
  return async (url) => out(url, readJson)
}

async function readJson({ agent, url, signal }: Passage): Promise<unknown> {
  const { statusCode, headers, body } = await agent.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: 'GET',
    headers: { accept: 'application/json', 'accept-encoding': 'identity' },
    signal,
  })
  // A redirect is a status like any other: following it would leave the checked address.
  if (statusCode !== 200) throw new FetchFault('status_refused')
  if (!isJson(headers['content-type']) || headers['content-encoding'] !== undefined) {
    throw new FetchFault('not_json')
  }
  const value = parseJson(await readBounded(body, LARGEST_BODY))
  if (value === undefined) throw new FetchFault('not_json')
  return value
}
