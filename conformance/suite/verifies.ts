/** One test of one requirement, or of several that are the same check. The ids stand in its title. */
import { test } from 'vitest'
import { REQUIREMENTS } from '../requirements.ts'
import { profile } from './given.ts'

/** Registers the test `[id] title`, unless the profile does not claim it. An id that is not in the manifest is a mistake, found before any request. */
export function verifies(
  ids: string | readonly string[],
  title: string,
  body: () => unknown,
): void {
  const list = typeof ids === 'string' ? [ids] : ids
  for (const id of list) {
    if (!Object.hasOwn(REQUIREMENTS, id)) throw new TypeError(`no such requirement: ${id}`)
  }
  const { not_claimed: left = [] } = profile
  const isClaimed = list.every((id) => !left.some((beginning) => id.startsWith(beginning)))
  test.runIf(isClaimed)(
    `${list.map((id) => `[${id}]`).join(' ')} ${title}`,
    body as () => Promise<void>,
  )
}
