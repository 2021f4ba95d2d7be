/**
 * Nonces of DPoP proofs at a tenant's token endpoint (RFC 9449 §8): a proof with one was made in these minutes, not ahead
 * of time. Nothing is kept: a nonce is a MAC over its tenant and its minute, so every process with the operator's secret
 * takes those of every other, and one of another tenant, of a resource server, or of yesterday is none.
 */
import { createHmac, scryptSync, timingSafeEqual } from 'node:crypto'
import type { Tenant } from '../core/tenant.ts'
import type { RequestState } from './request-state.ts'

/** `ending`: it holds, and its client should be given the next one (RFC 9449 §8.2). */
export type NonceState = 'fresh' | 'ending'

export interface DpopNonces {
  /** The nonce of this minute, 22 characters: all of the tenant's clients get the same. */
  current(tenant: string, now: number): string
  /** Of what a proof says its nonce is; undefined where it is none of this tenant, or too old. */
  stateOf(tenant: string, nonce: unknown, now: number): NonceState | undefined
}

/** Seconds between two nonces. */
const PERIOD = 60
/** Periods a nonce is taken after its own: four to five minutes in all. */
const LATER_PERIODS = 4
/** Periods after which a client is given the next: one that asks every two minutes is never sent back for a nonce. */
const FRESH_PERIODS = 2
/** Another process's clock may be a little ahead of ours. */
const AHEAD_PERIODS = 1
const NONCE_BYTES = 16
/** Tells this use of the secret from the others. */
const SALT = 'actchain dpop-nonce 1'

export function createDpopNonces(secret: string): DpopNonces {
  let derived: Buffer | undefined
  // Nonces are public. By scrypt, for whoever has one may try secrets against it on machines of his own.
  const key = (): Buffer => {
    derived ??= scryptSync(secret, SALT, 32, { N: 16384, r: 8, p: 1 })
    return derived
  }
  // An id of a tenant has no line break: no two pairs have one text. Base64url is NQCHAR (RFC 9449 §8.1).
  const nonceOf = (tenant: string, period: number): string =>
    createHmac('sha256', key())
      .update(`${tenant}\n${period}`)
      .digest()
      .toString('base64url', 0, NONCE_BYTES)
  const periodAt = (now: number): number => Math.floor(now / PERIOD)

  return {
    current: (tenant, now) => nonceOf(tenant, periodAt(now)),
    stateOf: (tenant, nonce, now) => {
      if (typeof nonce !== 'string') return undefined
      const shown = Buffer.from(nonce)
      for (let age = -AHEAD_PERIODS; age <= LATER_PERIODS; age += 1) {
        const expected = Buffer.from(nonceOf(tenant, periodAt(now) - age))
        if (shown.length === expected.length && timingSafeEqual(shown, expected)) {
          return age < FRESH_PERIODS ? 'fresh' : 'ending'
        }
      }
      return undefined
    },
  }
}

/**
 * How the proof check of one request asks for a nonce; undefined where the tenant wants none. What the client is given for
 * its next proof is noted in the request's state, for the door.
 */
export function nonceCheck(
  tenant: Tenant,
  nonces: DpopNonces,
  state: RequestState,
  now: number,
): ((nonce: unknown) => boolean) | undefined {
  if (!tenant.dpopNonces) return undefined
  return (nonce) => {
    const found = nonces.stateOf(tenant.id, nonce, now)
    if (found !== 'fresh') state.nextNonce = nonces.current(tenant.id, now)
    return found !== undefined
  }
}
