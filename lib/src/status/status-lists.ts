/**
 * @actchain/verifier/status: revocation by the issuer's status lists (docs/chain-format.md §2, rule 6), kept current by its
 * feed. What cannot be known is `revocation_unknown`, never "not revoked".
 */
import { VerificationError } from '../errors.ts'
import type { Revocation, RevocationCheck, RevocationDeps, StatusReference } from '../revocation.ts'
import { isScopeToken } from '../scope.ts'
import { Feed } from './feed.ts'
import type { Clock } from './freshness.ts'
import { KeyNews } from './key-news.ts'
import { ListCache } from './list-cache.ts'
import { isListUri } from './statement.ts'
import { INVALID, SUSPENDED, worstOf } from './status-list.ts'

export interface StatusListsOptions {
  /** Seconds ago, 1 to 60, that a list has to be known to have been current. Default 10. */
  readonly freshness?: number
  /** Scopes with a shorter bound: routes that ask for one of them are held to `executeFreshness`. Default none. */
  readonly executeScopes?: readonly string[]
  /** Seconds, not more than `freshness`. Default 5, or `freshness` where that is less. */
  readonly executeFreshness?: number
  /** `off` where a runtime keeps no connection open: lists are then fetched whenever they are too old. Default `on`. */
  readonly feed?: 'on' | 'off'
}

interface Settings {
  readonly freshness: number
  readonly executeScopes: ReadonlySet<string>
  readonly executeFreshness: number
  readonly feed: 'on' | 'off'
}

/** For the option `revocation`. Throws TypeError for a bad option, or where the runtime cannot unpack a list. */
export function statusLists(options: StatusListsOptions = {}): Revocation {
  const settings = readSettings(options)
  return (deps) =>
    createCheck(deps, settings, { now: deps.now, tick: () => performance.now() / 1000 })
}

function createCheck(deps: RevocationDeps, settings: Settings, clock: Clock): RevocationCheck {
  const news = new KeyNews(deps.keys)
  const lists = new ListCache(deps, clock, news)
  const feed = new Feed(deps, clock, (message, stamp) => {
    news.take(message.kids, message.iat)
    lists.apply(message, stamp)
  })
  const { freshness, executeScopes, executeFreshness } = settings

  /** Undefined where what is held does not answer. */
  const look = ({ uri, indexes }: StatusReference, bound: number): number | undefined => {
    const held = lists.find(uri)
    if (held === undefined) return undefined
    const worst = worstOf(held.list, indexes)
    // Invalid is for ever, however old the list that says so.
    if (worst === INVALID) throw new VerificationError('token_revoked')
    const age = lists.ageOf(held)
    if (worst === undefined || age > bound) return undefined
    if (worst === SUSPENDED) throw new VerificationError('token_suspended')
    return Math.floor(age)
  }
  const fetchAndLook = async (reference: StatusReference, bound: number): Promise<number> => {
    // A list of somebody else is not asked what it thinks of our tokens.
    if (isListUri(deps.issuer, reference.uri)) await lists.renew(reference.uri)
    const age = look(reference, bound)
    if (age === undefined) throw new VerificationError('revocation_unknown')
    return age
  }
  return {
    check: (reference, scope) => {
      if (settings.feed === 'on') feed.start()
      const executes = scope.some((name) => executeScopes.has(name))
      const bound = executes ? executeFreshness : freshness
      return look(reference, bound) ?? fetchAndLook(reference, bound)
    },
    close: () => {
      feed.close()
      lists.close()
    },
  }
}

// A list expires a minute after it was signed: a longer bound would say what is not so.
const isBound = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 60

const FORMS: Readonly<Record<keyof StatusListsOptions, (value: unknown) => boolean>> = {
  freshness: isBound,
  executeScopes: (value) => Array.isArray(value) && value.every(isScopeToken),
  executeFreshness: isBound,
  feed: (value) => value === 'on' || value === 'off',
}

function readSettings(options: StatusListsOptions): Settings {
  for (const [name, value] of Object.entries<unknown>({ ...options })) {
    if (!Object.hasOwn(FORMS, name)) throw new TypeError(`unknown option: ${name}`)
    if (!FORMS[name as keyof StatusListsOptions](value)) throw new TypeError(`bad option: ${name}`)
  }
  const { freshness = 10, executeScopes = [], feed = 'on' } = options
  const { executeFreshness = Math.min(5, freshness) } = options
  if (executeFreshness > freshness) throw new TypeError('bad option: executeFreshness')
  if (typeof DecompressionStream !== 'function')
    throw new TypeError('this runtime has no DecompressionStream')
  return { freshness, executeScopes: new Set(executeScopes), executeFreshness, feed }
}
