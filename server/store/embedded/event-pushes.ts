/** Verbs of pushing: the oldest event of a stream is one process's at a time. */
import type { ClaimedPush, PushClaim, SettledPush } from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { findStream, NO_PUSH, putStream, readWaiting, type StoredStream } from './event-records.ts'
import { takeEvent } from './event-streams.ts'

/** Whether its oldest event may be pushed now, by this holder. */
export function isDue(stored: StoredStream, now: number, holder?: string): boolean {
  const { stream, waiting, lastSent, push } = stored
  if (stream.delivery.method !== 'push' || waiting === 0 || now < push.notBefore) return false
  if (stream.status === 'disabled') return false
  if (stream.status === 'paused' && lastSent === undefined) return false
  return push.claim === undefined || push.claim.holder === holder || push.claim.until <= now
}

export function claimPush(environment: Environment, claim: PushClaim): ClaimedPush | undefined {
  const { tenant, stream, holder, now, until } = claim
  const stored = findStream(environment, tenant, stream)
  if (stored === undefined || !isDue(stored, now, holder)) return undefined
  const [event] = readWaiting(environment, stored, 1)
  if (event === undefined) return undefined
  const { attempts } = stored.push
  putStream(environment, { ...stored, push: { ...stored.push, claim: { holder, until } } })
  return { stream: stored.stream, event, attempts }
}

export function settlePush(environment: Environment, settled: SettledPush): void {
  const { tenant, stream, holder, jti, againAt } = settled
  const stored = findStream(environment, tenant, stream)
  if (stored === undefined || stored.push.claim?.holder !== holder) return
  if (againAt !== undefined) {
    const attempts = stored.push.attempts + 1
    putStream(environment, {
      ...stored,
      push: { claim: undefined, attempts, notBefore: againAt },
    })
    return
  }
  const taken = takeEvent(environment, stored, jti) ? 1 : 0
  putStream(environment, { ...stored, waiting: stored.waiting - taken, push: NO_PUSH })
}
