/** Listings of a server's APIs, page by page. */
import { isJsonObject, type JsonObject } from '../../lib/src/strict-json.ts'
import { textOf } from './admin-answer.ts'
import type { AdminClient } from './admin-client.ts'
import { Failure } from './failure.ts'

const PER_PAGE = 100
/** A server that never comes to an end is not ours. */
const MOST_PAGES = 1000

export interface Listed {
  readonly items: readonly JsonObject[]
  /** There are more than were asked for. */
  readonly isCut: boolean
}

/** Every item; undefined where there is no such list. */
export async function listAll(
  client: AdminClient,
  path: readonly string[],
): Promise<readonly JsonObject[] | undefined> {
  return (await listSome(client, path, { most: Number.POSITIVE_INFINITY }))?.items
}

/** The first items that fit `filters`, at most `most`; undefined where there is no such list. */
export async function listSome(
  client: AdminClient,
  path: readonly string[],
  {
    filters = {},
    most,
  }: { readonly filters?: Readonly<Record<string, string>>; readonly most: number },
): Promise<Listed | undefined> {
  const items: JsonObject[] = []
  let cursor: string | undefined
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { status, body } = await client.request({
      method: 'GET',
      path,
      query: {
        ...filters,
        limit: String(Math.min(PER_PAGE, most - items.length)),
        ...(cursor !== undefined && { cursor }),
      },
      expected: [200, 404],
    })
    if (status === 404) return undefined
    const listed = body?.['items']
    items.push(...(Array.isArray(listed) ? listed.filter(isJsonObject) : []))
    cursor = textOf(body, 'next_cursor')
    if (cursor === undefined) return { items: items.slice(0, most), isCut: items.length > most }
    if (items.length >= most) return { items: items.slice(0, most), isCut: true }
  }
  throw new Failure('The list has no end; this is not a server of ours.')
}
