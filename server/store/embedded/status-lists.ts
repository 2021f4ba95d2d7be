/** What verifiers are told, read from shared memory: what any process committed is in the next answer of every one. */
import type { StatusListContent, StatusLists } from '../../use-cases/ports.ts'
import { STATUS_BITS } from '../../use-cases/task-store.ts'
import type { Environment } from './environment.ts'
import { listsOf } from './keys.ts'
import { findList, readHead, readListId } from './list-heads.ts'
import { joinStatuses, readSequence } from './statuses.ts'

export class EmbeddedStatusLists implements StatusLists {
  readonly generation: string
  readonly #environment: Environment

  constructor(environment: Environment, generation: string) {
    this.#environment = environment
    this.generation = generation
  }

  sequence(tenant: string): number {
    this.#environment.refresh()
    return readSequence(this.#environment, tenant)
  }

  lists(tenant: string): readonly { readonly id: string; readonly changedAt: number }[] {
    this.#environment.refresh()
    return this.#environment.range(listsOf(tenant), Infinity).flatMap(({ value }) => {
      const id = readListId(value)
      return id === undefined ? [] : [{ id, changedAt: readHead(value).changedAt }]
    })
  }

  read(tenant: string, list: string): StatusListContent | undefined {
    this.#environment.refresh() // all of it sees one commit
    const head = findList(this.#environment, { tenant, list })
    if (head === undefined) return undefined
    const statuses = joinStatuses(this.#environment, { tenant, list }, head)
    return {
      statuses,
      size: Math.max(head.handedOut, statuses.length * (8 / STATUS_BITS)),
      changedAt: head.changedAt,
      sequence: readSequence(this.#environment, tenant),
    }
  }
}
