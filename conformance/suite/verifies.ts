/** One test of one requirement, or of several that are the same check. The ids stand in its title. */
import { test } from 'vitest'
import { REQUIREMENTS } from '../requirements.ts'
import { isOffered } from './documents.ts'
import { given } from './given.ts'
import { type LeftOut, type Need, notOffered, unmet } from './needs.ts'
import { asFailure, startCheck } from './verdict.ts'

declare module 'vitest' {
  export interface TaskMeta {
    requirements?: readonly string[]
    leftOut?: LeftOut
    warnings?: string[]
    /** What was expected and what came, without tokens. */
    failure?: string
  }
}

/**
 * Registers the test `[id] title`; it is left out where the run does not ask for it, the server does not offer it, or the
 * profile has not what it needs: without `needs`, all the agents and resources of the delegation profile. An id that is not in the
 * manifest is a mistake, found before any request.
 */
export function verifies(
  ids: string | readonly string[],
  title: string,
  body: () => unknown,
  needs: readonly Need[] = ['whole'],
): void {
  const list = typeof ids === 'string' ? [ids] : ids
  for (const id of list) {
    if (!Object.hasOwn(REQUIREMENTS, id)) throw new TypeError(`no such requirement: ${id}`)
  }
  const leftOut = reasonAgainst(list, needs)
  const meta = { requirements: list, ...(leftOut === undefined ? {} : { leftOut }) }
  test(`${list.map((id) => `[${id}]`).join(' ')} ${title}`, {
    skip: leftOut !== undefined,
    meta,
  }, async ({ task }) => {
    const { warnings } = startCheck()
    try {
      await body()
    } catch (fault) {
      task.meta.failure = asFailure(fault)
      throw fault
    } finally {
      if (warnings.length > 0) task.meta.warnings = warnings
    }
  })
}

/** Beginnings of ids, when the run is of some alone. */
const only = process.env['CONFORMANCE_ONLY']?.split(',')
const isSpecAlone = process.env['CONFORMANCE_LEVEL'] === 'spec'

function isAsked(id: string): boolean {
  if (isSpecAlone && id.startsWith('PROF-')) return false
  return only === undefined || only.some((beginning) => id.startsWith(beginning))
}

function reasonAgainst(ids: readonly string[], needs: readonly Need[]): LeftOut | undefined {
  const asked = ids.filter(isAsked)
  if (asked.length === 0) return { outcome: 'not_asked', because: 'another part is run' }
  const { not_claimed: left = [] } = given
  if (asked.some((id) => left.some((beginning) => id.startsWith(beginning)))) {
    return { outcome: 'not_offered', because: 'the profile does not claim it' }
  }
  // Where it has one of several, the check is for that one; what it needs beyond is among its needs.
  const features = asked.map((id) => REQUIREMENTS[id]?.feature)
  const absent = features.filter((one) => one !== undefined).filter((one) => !isOffered(one))
  const [first] = absent
  return first !== undefined && absent.length === asked.length ? notOffered(first) : unmet(needs)
}
