/**
 * Tells whoever listens which status lists of a tenant changed, as soon as any process committed the change. Each message
 * is cumulative: it names every list that changed after the state its listener knew, so that the tenant's state is known
 * as of its `iat`. Nothing runs for a tenant to whom nobody listens.
 */
import type { Tenant } from '../core/tenant.ts'
import type { Clock, StatusLists, Tenants } from './ports.ts'
import { listUri, type StatusSigner } from './status-signer.ts'

export interface StatusFeedDeps {
  readonly clock: Clock
  readonly tenants: Tenants
  readonly statusLists: StatusLists
  readonly signerOf: (tenant: Tenant) => StatusSigner
  /** Runs `work` again and again until it is cancelled. */
  readonly every: (milliseconds: number, work: () => void) => () => void
  /** Told why the listeners of a tenant were sent away. */
  readonly onFault: (fault: unknown, tenant: string) => void
}

export interface FeedMessage {
  /** The state of the tenant that is known with it. */
  readonly sequence: number
  /** A JWT. */
  readonly token: string
}

export interface FeedListener {
  tell(message: FeedMessage): void
  /** Nothing more is told. */
  end(): void
}

export interface StatusFeed {
  /**
   * Told at once what changed after state `after`, and from then on what changes. A state that never was counts as 0, the
   * one before the first change. Returns how to stop.
   */
  listen(tenant: string, after: number, listener: FeedListener): () => void
  /** Ends every listener. */
  close(): void
}

/** Milliseconds between two looks at shared memory; a change is told that much later at most. */
const LOOK_EVERY_MS = 25
/** Seconds after which a listener is told again, though nothing changed: silence is not news. */
const HEARTBEAT_SECONDS = 2

/** Of a tenant, as of the second `iat`. */
interface State {
  readonly tenant: Tenant
  readonly signer: StatusSigner
  readonly iat: number
  readonly generation: string
  readonly sequence: number
  /** Which key signs and which there are. */
  readonly keys: string
}

interface Change {
  readonly uri: string
  readonly changedAt: number
}

/** What a listener was told last. */
interface Told {
  readonly sequence: number
  /** Undefined: nothing yet. */
  readonly iat: number | undefined
  readonly keys: string | undefined
}

export function createStatusFeed(deps: StatusFeedDeps): StatusFeed {
  const hubs = new Map<string, Hub>()
  return {
    listen: (tenant, after, listener) => {
      const hub = hubs.get(tenant) ?? new Hub(deps, tenant, () => hubs.delete(tenant))
      hubs.set(tenant, hub)
      return hub.add(after, listener)
    },
    close: () => {
      for (const hub of hubs.values()) hub.close()
    },
  }
}

/** The listeners of one tenant. */
class Hub {
  readonly #deps: StatusFeedDeps
  readonly #tenant: string
  readonly #onEmpty: () => void
  readonly #listeners = new Map<FeedListener, Told>()
  readonly #cancel: () => void
  #isTelling = false
  /** Messages of one state, by the state they start from. */
  #made: { readonly of: string; readonly bySince: Map<number, Promise<string>> } | undefined

  constructor(deps: StatusFeedDeps, tenant: string, onEmpty: () => void) {
    this.#deps = deps
    this.#tenant = tenant
    this.#onEmpty = onEmpty
    this.#cancel = deps.every(LOOK_EVERY_MS, () => void this.#look())
  }

  add(after: number, listener: FeedListener): () => void {
    this.#listeners.set(listener, { sequence: after, iat: undefined, keys: undefined })
    // While others are told, the next look is for this one too.
    void this.#look()
    return () => this.#remove(listener)
  }

  close(): void {
    for (const listener of this.#listeners.keys()) {
      this.#remove(listener)
      listener.end()
    }
  }

  #remove(listener: FeedListener): void {
    if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return
    this.#cancel()
    this.#onEmpty()
  }

  /** Never rejects: a tenant that cannot be told of is told of to nobody, and silence soon means unknown. */
  async #look(): Promise<void> {
    if (this.#isTelling) return
    this.#isTelling = true
    try {
      const state = this.#read()
      if (state === undefined) this.close()
      else await this.#tellWhoIsDue(state)
    } catch (fault) {
      this.#deps.onFault(fault, this.#tenant)
      this.close()
    } finally {
      this.#isTelling = false
    }
  }

  #read(): State | undefined {
    const { clock, tenants, statusLists, signerOf } = this.#deps
    const tenant = tenants.find(this.#tenant)
    if (tenant === undefined) return undefined
    const signer = signerOf(tenant)
    const keys = [signer.kid, ...signer.kids].join(' ')
    // The clock first: what is said to be known as of `iat` was read after it.
    const iat = clock.now()
    const { generation } = statusLists
    return { tenant, signer, keys, iat, generation, sequence: statusLists.sequence(tenant.id) }
  }

  async #tellWhoIsDue(seen: State): Promise<void> {
    const due = [...this.#listeners].filter(([, told]) => isDue(told, seen))
    if (due.length === 0) return
    const { tenant } = seen
    const lists = this.#deps.statusLists.lists(tenant.id)
    const changes = lists.map(({ id, changedAt }) => ({ uri: listUri(tenant, id), changedAt }))
    // A change that came between the two reads is in the lists, and so is all before it.
    const sequence = changes.reduce(
      (most, { changedAt }) => Math.max(most, changedAt),
      seen.sequence,
    )
    const state = { ...seen, sequence }
    const waiting = Map.groupBy(due, ([, told]) => (told.sequence <= sequence ? told.sequence : 0))
    await Promise.all(
      [...waiting].map(async ([since, listeners]) => {
        const token = await this.#message(state, since, changes)
        for (const [listener] of listeners) this.#tell(listener, state, token)
      }),
    )
  }

  #tell(listener: FeedListener, { sequence, iat, keys }: State, token: string): void {
    // It may have gone while the message was signed.
    if (!this.#listeners.has(listener)) return
    this.#listeners.set(listener, { sequence, iat, keys })
    listener.tell({ sequence, token })
  }

  /** Signed once for all who know the same, however many they are. */
  #message(state: State, since: number, changes: readonly Change[]): Promise<string> {
    const of = `${state.sequence} ${state.iat} ${state.keys}`
    if (this.#made?.of !== of) this.#made = { of, bySince: new Map() }
    const { bySince } = this.#made
    const message = bySince.get(since) ?? sign(state, since, changes)
    bySince.set(since, message)
    return message
  }
}

function isDue(told: Told, { sequence, iat, keys }: State): boolean {
  if (told.iat === undefined || told.keys !== keys || told.sequence !== sequence) return true
  // A clock that was set back does not silence the feed.
  return iat < told.iat || iat >= told.iat + HEARTBEAT_SECONDS
}

function sign(state: State, since: number, changes: readonly Change[]): Promise<string> {
  const { tenant, signer, iat, generation, sequence } = state
  const news = changes.filter(({ changedAt }) => changedAt > since)
  return signer.sign('statusfeed+jwt', {
    iss: tenant.issuer,
    iat,
    // Numbers of another store say nothing of this one.
    gen: generation,
    seq: sequence,
    since,
    lists: Object.fromEntries(news.map(({ uri, changedAt }) => [uri, changedAt])),
    kids: signer.kids,
  })
}
