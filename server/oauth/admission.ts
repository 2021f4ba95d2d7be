/**
 * From a credential to a client that may ask: verified first, then used, each at most once a request. Nothing is claimed or
 * counted for a client before its credential held (attack case M03).
 */
import type { ProvenKey } from '../core/input-token.ts'
import { isRefusal, type Refusal, refuse } from '../core/refusal.ts'
import type { ReplayClaim } from '../use-cases/ports.ts'
import type { Authenticated, NamedClient } from './authentication/credentials.ts'

export interface Admission {
  /** Undefined once the credential holds and its client may ask. Awaited before anything is proven or claimed beside it. */
  readonly authenticated: Promise<Refusal | undefined>
  /** It is used together with the key that is proven beside it, so that comes first. */
  readonly takesKey: boolean
  /** Uses the credential. Undefined: admitted. Asked again it answers the same. */
  admit(key: ProvenKey): Promise<Refusal | undefined>
  /** What there is to know of it so far: for the door, which admits nobody. */
  settled(): Promise<Refusal | undefined>
  /**
   * Of a request that is refused: where its credential holds and was not used, it counts all the same, or whoever took one that is
   * good for another key could ask without end. A refusal where the client is over its limit.
   */
  countRefused(): Promise<Refusal | undefined>
}

export interface AdmissionDeps {
  /** Told once, of a credential that holds: undefined where its client may ask. */
  readonly accept: (authenticated: Authenticated) => Refusal | undefined
  readonly claim: (claim: ReplayClaim) => Promise<boolean>
  /** After a first use. */
  readonly count: () => Promise<Refusal | undefined>
  /** Told of a credential that does not hold, by the guard, and of one that was used before. */
  readonly fail: (guard: string) => void
}

const REPLAYED = refuse('client_authentication_failed', 'assertion_replayed')

export function beginAdmission(deps: AdmissionDeps, named: NamedClient): Admission {
  const { verified } = named
  const accepted = verified instanceof Promise ? verified.then(accept) : accept(verified)
  const authenticated = Promise.resolve(accepted).then((outcome) =>
    isRefusal(outcome) ? outcome : undefined,
  )
  let admission: Promise<Refusal | undefined> | undefined

  function accept(outcome: Authenticated | string): Authenticated | Refusal {
    if (typeof outcome !== 'string' && outcome.client === named.client) {
      return deps.accept(outcome) ?? outcome
    }
    // Whoever a credential named by its text is the one it has to prove.
    const guard = typeof outcome === 'string' ? outcome : 'client_mismatch'
    deps.fail(guard)
    return refuse('client_authentication_failed', guard)
  }

  async function use(
    outcome: Authenticated | Refusal,
    key: ProvenKey,
  ): Promise<Refusal | undefined> {
    if (isRefusal(outcome)) return outcome
    const claim = claimOf(outcome, key)
    if (claim === undefined || (await deps.claim(claim))) return deps.count()
    deps.fail(REPLAYED.guard)
    return REPLAYED
  }

  const admit = (key: ProvenKey): Promise<Refusal | undefined> => {
    admission ??=
      accepted instanceof Promise ? accepted.then((it) => use(it, key)) : use(accepted, key)
    return admission
  }
  const takesKey =
    accepted instanceof Promise || (!isRefusal(accepted) && accepted.use.kind === 'with_key')
  // Single use is claimed at once, so that it meets the proof's in one step of the store.
  if (!takesKey) admit(undefined).catch(leaveToDoor)
  authenticated.catch(leaveToDoor)
  return {
    authenticated,
    takesKey,
    admit,
    settled: async () => (await authenticated) ?? admission,
    countRefused: async () => {
      const isCounted = admission !== undefined || (await authenticated) !== undefined
      return isCounted ? undefined : deps.count()
    },
  }
}

function claimOf({ use }: Authenticated, key: ProvenKey): ReplayClaim | undefined {
  if (use.kind === 'standing') return undefined
  if (use.kind === 'single') return use.claim
  const holder = key?.jkt ?? key?.['x5t#S256']
  return holder === undefined ? use.claim : { ...use.claim, holder }
}

/** The door awaits the same promise and tells the fault. */
function leaveToDoor(): void {}
