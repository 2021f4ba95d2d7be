/**
 * Lists in pages. A cursor is the id of the last item that was sent: it can only be looked for in the list its reader may see,
 * so one of another tenant is a place in nobody's list (attack case F05).
 */
import { type ManagementRefusal, refuseMembers } from '../../core/management-refusal.ts'
import { MOST_ITEMS } from './schemas.ts'

export interface PageQuery {
  readonly limit?: string | undefined
  readonly cursor?: string | undefined
}

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next_cursor?: string
}

const DEFAULT_LIMIT = 50

/** The items after the cursor's, in the order given. */
export function pageOf<Item>(
  all: readonly Item[],
  idOf: (item: Item) => string,
  { limit, cursor }: PageQuery,
): Page<Item> | ManagementRefusal {
  const after = cursor === undefined ? -1 : all.findIndex((item) => idOf(item) === cursor)
  if (cursor !== undefined && after < 0) {
    return refuseMembers([{ pointer: '?cursor', text: 'is not one of this list' }])
  }
  const start = after + 1
  const most = Math.min(Number(limit ?? DEFAULT_LIMIT), MOST_ITEMS)
  const items = all.slice(start, start + most)
  const last = items.at(-1)
  const isEnd = last === undefined || start + most >= all.length
  return isEnd ? { items } : { items, next_cursor: idOf(last) }
}
