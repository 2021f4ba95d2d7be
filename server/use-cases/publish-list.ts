/**
 * Status lists as verifiers fetch them (draft-ietf-oauth-status-list-20, here Token Status List): padded, compressed, signed.
 * Made when somebody asks, and kept: compressed until the list changes, signed until the second is over.
 */
import type { Tenant } from '../core/tenant.ts'
import type { Clock, StatusListContent, StatusLists } from './ports.ts'
import { listUri, type StatusSigner } from './status-signer.ts'
import { STATUS_BITS } from './task-store.ts'

export interface ListPublisherDeps {
  readonly clock: Clock
  readonly statusLists: StatusLists
  readonly signerOf: (tenant: Tenant) => StatusSigner
  /** Token Status List §4.1: DEFLATE in the ZLIB data format; resolves to base64url. Off the event loop. */
  readonly compress: (statuses: Uint8Array) => Promise<string>
}

export interface ListPublisher {
  /**
   * The list as a JWT, at least as new as the store was when this was called: a revocation that was acknowledged is in
   * every answer to a later request. Undefined where there is no such list. Rejects where it cannot be told now.
   */
  find(tenant: Tenant, list: string): Promise<string | undefined>
  /** URIs of the lists that tokens may still refer to. */
  uris(tenant: Tenant): readonly string[]
}

/** Seconds a verifier may keep a list before it should fetch another (Token Status List §5.1, `ttl`). */
export const LIST_TTL = 5
/** Seconds a list counts at all; a verifier's own bound is shorter. */
const LIST_LIFETIME = 60
/** Indexes; few tokens are not told apart from many, and what is issued a moment later is inside. */
const LEAST_PUBLISHED = 65_536
/** Lists that are kept; one that was asked for least lately goes. */
const MOST_KEPT = 256

/** A token and what it says: which state of the tenant, as of which second, by which key, and which others there were. */
interface Signed {
  readonly sequence: number
  readonly iat: number
  readonly keys: string
  readonly token: string
}

interface Kept {
  compressed:
    | { readonly changedAt: number; readonly size: number; readonly lst: string }
    | undefined
  signed: Signed | undefined
  /** At most one is in the making; whoever it is new enough for waits for it. */
  making: (Omit<Signed, 'token'> & { readonly done: Promise<Signed> }) | undefined
}

export function createListPublisher(deps: ListPublisherDeps): ListPublisher {
  const { clock, statusLists, signerOf } = deps
  const kept = new Map<string, Kept>()

  async function find(tenant: Tenant, list: string): Promise<string | undefined> {
    const asked = {
      sequence: statusLists.sequence(tenant.id),
      iat: clock.now(),
      keys: keysOf(signerOf(tenant)),
    }
    // No list id has a space.
    const name = `${tenant.id} ${list}`
    for (;;) {
      const known = kept.get(name)
      const { signed, making } = known ?? {}
      // Of another second than now is as good as none, on whichever side.
      if (signed?.iat === asked.iat && isFit(signed, asked)) return signed.token
      if (making === undefined) return make(tenant, list, name)
      if (isFit(making, asked)) return (await making.done).token
      // Read before this was asked. The first to wake up makes the next one, for all who waited.
      await settled(making.done)
    }
  }

  /** Reads before it first waits, so the content is as new as the call. */
  async function make(tenant: Tenant, list: string, name: string): Promise<string | undefined> {
    // Before the read: what is said as of this second holds as of this second.
    const iat = clock.now()
    const content = statusLists.read(tenant.id, list)
    if (content === undefined) {
      kept.delete(name)
      return undefined
    }
    const known = keep(name)
    const signer = signerOf(tenant)
    const { sequence } = content
    const done = sign(known, { tenant, list, content, signer, iat })
    known.making = { sequence, iat, keys: keysOf(signer), done }
    try {
      known.signed = await done
      return known.signed.token
    } finally {
      known.making = undefined
    }
  }

  async function sign(known: Kept, source: Source): Promise<Signed> {
    const { tenant, list, content, signer, iat } = source
    const { sequence } = content
    const lst = await compress(known, content)
    // Token Status List §5.1. `gen`, `seq` and `kids` are ours: of which store, which state of the tenant the list shows, and
    // which keys are good: whoever hears no feed learns here that one was killed (attack case K04).
    const token = await signer.sign('statuslist+jwt', {
      iss: tenant.issuer,
      sub: listUri(tenant, list),
      iat,
      exp: iat + LIST_LIFETIME,
      ttl: LIST_TTL,
      gen: statusLists.generation,
      seq: sequence,
      kids: signer.kids,
      status_list: { bits: STATUS_BITS, lst },
    })
    return { sequence, iat, keys: keysOf(signer), token }
  }

  async function compress(known: Kept, content: StatusListContent): Promise<string> {
    const { changedAt } = content
    const size = publishedSize(content)
    const last = known.compressed
    if (last?.changedAt === changedAt && last.size === size) return last.lst
    const lst = await deps.compress(padded(content, size))
    known.compressed = { changedAt, size, lst }
    return lst
  }

  /** What is asked for goes to the end, so the first is the one that was not for longest. */
  function keep(name: string): Kept {
    const known = kept.get(name) ?? {
      compressed: undefined,
      signed: undefined,
      making: undefined,
    }
    kept.delete(name)
    kept.set(name, known)
    const oldest = kept.keys().next()
    if (kept.size > MOST_KEPT && !oldest.done) kept.delete(oldest.value)
    return known
  }

  return {
    find,
    uris: (tenant) => statusLists.lists(tenant.id).map(({ id }) => listUri(tenant, id)),
  }
}

interface Source {
  readonly tenant: Tenant
  readonly list: string
  readonly content: StatusListContent
  readonly signer: StatusSigner
  readonly iat: number
}

type Asked = Omit<Signed, 'token'>

function isFit(made: Asked, asked: Asked): boolean {
  return made.sequence >= asked.sequence && made.iat >= asked.iat && made.keys === asked.keys
}

/** Which signs, and which there are. */
function keysOf({ kid, kids }: StatusSigner): string {
  return [kid, ...kids].join(' ')
}

/** Whoever made it was told of a fault. */
async function settled(done: Promise<unknown>): Promise<void> {
  await done.catch(() => {})
}

/** Indexes a list is published with: a power of two, so its length says little of how much is issued. */
export function publishedSize({ size, statuses }: StatusListContent): number {
  const handedOut = Math.max(size, (statuses.length * 8) / STATUS_BITS)
  let published = LEAST_PUBLISHED
  while (published < 2 * handedOut) published *= 2
  return published
}

/** Token Status List §4.1 has room for more than was handed out; status 0 is valid. */
function padded({ statuses }: StatusListContent, size: number): Uint8Array {
  const bytes = new Uint8Array((size * STATUS_BITS) / 8)
  bytes.set(statuses)
  return bytes
}
