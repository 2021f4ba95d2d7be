/**
 * When each of a tenant's facts was last used. Noting is a few writes to a map; what was noted goes to the store every few
 * seconds and when the process ends, so a crash loses the last seconds of it and nothing more. Nothing is decided by it.
 */
import type { Use } from '../core/sprawl.ts'
import type { RoleGrant, Tenant } from '../core/tenant.ts'
import {
  clientName,
  keyName,
  namesOf,
  roleName,
  type TokenUse,
  tokenNames,
} from '../core/usage-names.ts'
import type { Clock, Tenants, UsageStore } from './ports.ts'

/** Where uses are noted. Never throws, never waits. */
export interface UsageNotes {
  token(tenant: string, use: TokenUse, at: number): void
  /** An agent authenticated, with the key of that `kid` where it was one of its own. */
  client(
    tenant: string,
    client: { readonly id: string; readonly kid: string | undefined },
    at: number,
  ): void
  /** What made somebody who signed in to manage the tenant what they are. */
  roles(tenant: string, grants: readonly RoleGrant[], at: number): void
}

export interface UsageLog extends UsageNotes {
  /** Writes what was noted. Rejects with the first fault, once every tenant had its turn; what was not written is noted again. */
  flush(): Promise<void>
  /** What is known of a tenant's names, with all that was noted until now. */
  read(tenant: Tenant): Promise<ReadonlyMap<string, Use>>
}

export interface UsageDeps {
  readonly store: UsageStore
  readonly tenants: Tenants
  readonly clock: Clock
  /** Ids of tenants whose facts are looked at from the start. */
  readonly present: readonly string[]
}

/** Names written in one step: the others of the process wait that long. */
const MOST_AT_ONCE = 1000
/** Tokens that differ in what they used, kept until their names are made; agents do the same over and over. */
const MOST_KINDS = 1000

/** What was noted of one tenant and is not written yet. */
interface Notes {
  readonly names: Map<string, number>
  /** By what tells them apart: the names of a token are made once for many. */
  readonly tokens: Map<string, { readonly use: TokenUse; at: number }>
}

const noNotes = (): Notes => ({ names: new Map(), tokens: new Map() })

export function createUsageLog({ store, tenants, clock, present }: UsageDeps): UsageLog {
  const startedAt = clock.now()
  const noted = new Map<string, Notes>(present.map((id) => [id, noNotes()]))
  /** Versions whose names are in the store, by tenant. */
  const observed = new Map<string, string>()

  const notesOf = (tenant: string): Notes => {
    const known = noted.get(tenant) ?? noNotes()
    noted.set(tenant, known)
    return known
  }

  /** The store's names become the tenant's. */
  const observe = async (tenant: Tenant): Promise<void> => {
    const last = observed.get(tenant.id)
    if (last === tenant.version) return
    const names = namesOf(tenant)
    const known = store.read(tenant.id)
    const since = last === undefined ? startedAt : clock.now()
    const fresh = [...names].filter((name) => !known.has(name))
    const gone = [...known.keys()].filter((name) => !names.has(name))
    for (const some of slices(fresh)) await store.observe(tenant.id, some, since)
    for (const some of slices(gone)) await store.forget(tenant.id, some)
    observed.set(tenant.id, tenant.version)
  }

  const write = async (tenant: Tenant): Promise<void> => {
    await observe(tenant)
    const names = namesIn(notesOf(tenant.id))
    if (names.size === 0) return
    noted.set(tenant.id, noNotes())
    try {
      for (const some of slices([...names])) await store.recordUses(tenant.id, new Map(some))
    } catch (fault) {
      const later = notesOf(tenant.id).names
      for (const [name, at] of names) later.set(name, Math.max(at, later.get(name) ?? 0))
      throw fault
    }
  }

  /** One after another, or one would put back what another has just written. */
  let last: Promise<void> = Promise.resolve()
  const inTurn = async (work: () => Promise<void>): Promise<void> => {
    const turn = last.then(work)
    last = turn.catch(() => {})
    return turn
  }

  return {
    token: (tenant, use, at) => {
      const notes = notesOf(tenant)
      const { tokens } = notes
      const kind = kindOf(use)
      const known = tokens.get(kind)
      if (known !== undefined) known.at = at
      else if (tokens.size < MOST_KINDS) tokens.set(kind, { use, at })
      else for (const name of tokenNames(use)) notes.names.set(name, at)
    },
    client: (tenant, { id, kid }, at) => {
      const { names } = notesOf(tenant)
      names.set(clientName(id), at)
      if (kid !== undefined) names.set(keyName(id, kid), at)
    },
    roles: (tenant, grants, at) => {
      const { names } = notesOf(tenant)
      for (const grant of grants) names.set(roleName(grant), at)
    },
    flush: async () =>
      inTurn(async () => {
        const faults: unknown[] = []
        for (const id of noted.keys()) {
          try {
            const tenant = tenants.find(id)
            if (tenant === undefined) noted.delete(id)
            else await write(tenant)
          } catch (fault) {
            faults.push(fault)
          }
        }
        if (faults.length > 0) throw faults[0]
      }),
    read: async (tenant) => {
      await inTurn(() => write(tenant))
      return store.read(tenant.id)
    },
  }
}

/** The same text for the same names: ids and scopes have no line break, and neither has anything a rule is called. */
function kindOf({ chain, taskType, isOpening, target, scope, policies }: TokenUse): string {
  const lists = [chain, scope, policies].map((list) => list.join('\n'))
  return [taskType, isOpening, target, ...lists].join('\n\n')
}

/** Every name, with the last time it was noted. */
function namesIn({ names, tokens }: Notes): ReadonlyMap<string, number> {
  const all = new Map(names)
  for (const { use, at } of tokens.values()) {
    for (const name of tokenNames(use)) all.set(name, Math.max(at, all.get(name) ?? 0))
  }
  return all
}

function slices<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const count = Math.ceil(items.length / MOST_AT_ONCE)
  return Array.from({ length: count }, (_, n) =>
    items.slice(n * MOST_AT_ONCE, (n + 1) * MOST_AT_ONCE),
  )
}
