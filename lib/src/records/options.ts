/** What recording is set up with. Every mistake is a TypeError at start. */
import type { Fetch } from '../fetch-bytes.ts'
import { algorithmOf, type SigningKey } from './signing-key.ts'
import type { RecordStorage } from './waiting-records.ts'

export interface RecordsFault {
  readonly kind: /** The issuer cannot be reached, or does not take what is sent; it is sent again. */
    | 'records_unsent'
    /** The issuer refused a record for good: it is not sent again. */
    | 'record_refused'
    /** Storage could not be read; nothing is sent before it can be. */
    | 'records_unread'
    /** Storage could not be written: what waits lives in this process alone. */
    | 'records_unsaved'
  /** Plain words; may name an outage or a record's id, never a token, a key or what was recorded. */
  readonly detail: string
}

export type RecordsFaultListener = (fault: RecordsFault) => void

export interface RecordsOptions {
  /** The resource's id at the issuer, where `keys` of it are the public half of `key`. */
  readonly clientId: string
  /** Private, of ES256, EdDSA or RS256. */
  readonly key: SigningKey
  /** Records that may wait, 1 to 1,000,000. Default 10,000. */
  readonly limit?: number
  /** Default none: what waits is lost with the process. */
  readonly storage?: RecordStorage
  readonly onFault?: RecordsFaultListener
  readonly fetch?: Fetch
  /** Seconds since the epoch. */
  readonly now?: () => number
}

export interface RecordsSettings {
  readonly clientId: string
  readonly key: SigningKey
  readonly limit: number
  readonly storage: RecordStorage | undefined
  readonly onFault: RecordsFaultListener
  readonly fetch: Fetch
  readonly now: () => number
}

const MOST_WAITING = 1_000_000

const isFunction = (value: unknown): boolean => typeof value === 'function'

const FORMS: Readonly<Record<keyof RecordsOptions, (value: unknown) => boolean>> = {
  clientId: (value) => typeof value === 'string' && value !== '',
  key: (value) => algorithmOf(value) !== undefined,
  limit: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MOST_WAITING,
  storage: (value) =>
    typeof value === 'object' &&
    value !== null &&
    isFunction(Reflect.get(value, 'load')) &&
    isFunction(Reflect.get(value, 'save')),
  onFault: isFunction,
  fetch: isFunction,
  now: isFunction,
}

/** Throws TypeError that names the option; never quotes its value. */
export function readRecordsOptions(options: RecordsOptions): RecordsSettings {
  for (const [name, value] of Object.entries<unknown>({ ...options })) {
    if (!Object.hasOwn(FORMS, name)) throw new TypeError(`unknown option: ${name}`)
    if (!FORMS[name as keyof RecordsOptions](value)) throw new TypeError(`bad option: ${name}`)
  }
  for (const name of ['clientId', 'key'] as const)
    if (options?.[name] === undefined) throw new TypeError(`missing option: ${name}`)
  const { clientId, key, limit = 10_000, storage } = options
  const { onFault = () => undefined, now = () => Date.now() / 1000 } = options
  const { fetch = (url: string, init: RequestInit) => globalThis.fetch(url, init) } = options
  return { clientId, key, limit, storage, onFault: quietly(onFault), fetch, now }
}

/** A listener that throws must not stop what it listens to. */
function quietly(listener: RecordsFaultListener): RecordsFaultListener {
  return (fault) => {
    try {
      listener(fault)
    } catch {
      // Nobody is left to tell.
    }
  }
}
