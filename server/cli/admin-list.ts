/** Listings of the admin API, page by page. */
import { isJsonObject, type JsonObject } from '../../lib/src/strict-json.ts'
import { textOf } from './admin-answer.ts'
import type { AdminClient } from './admin-client.ts'
import { Failure } from './failure.ts'

const PER_PAGE = '100'
/** A server that never comes to an end is not ours. */
const MOST_PAGES = 1000

/** Every item; undefined where there is no such list. */
export async function listAll(
  client: AdminClient,
  path: readonly string[],
): Promise<readonly JsonObject[] | undefined> {
  const items: JsonObject[] = []
  let query: Readonly<Record<string, string>> = { limit: PER_PAGE }
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { status, body } = await client.request({
      method: 'GET',
      path,
      query,
      expected: [200, 404],
    })
    if (status === 404) return undefined
    const listed = body?.['items']
    items.push(...(Array.isArray(listed) ? listed.filter(isJsonObject) : []))
    const cursor = textOf(body, 'next_cursor')
    if (cursor === undefined) return items
    query = { limit: PER_PAGE, cursor }
  }
  throw new Failure('The list has no end; this is not a server of ours.')
}

/** What is said where the server does not know the tenant. */
export function unknownTenant(client: AdminClient, tenant: string): Failure {
  return new Failure(`${client.server} has no tenant ${tenant}; actchain apply makes one.`)
}
