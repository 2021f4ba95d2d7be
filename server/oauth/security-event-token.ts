/**
 * Security event tokens (RFC 8417) that this server sends: `typ: secevent+jwt`, RS256 (CAEP interoperability profile §2.6), one
 * event each, no `sub` and no `exp` (SSF 1.0 §4.1).
 */
import { LRUCache } from 'lru-cache'
import type { Keyring } from '../../keys/keyring.ts'
import type { Tenant } from '../core/tenant.ts'
import type { MintEvent } from '../use-cases/poll-events.ts'

export const EVENT_TOKEN_TYPE = 'secevent+jwt'
/** Signed texts kept, so that what is asked for again and again is signed once. */
const MOST_KEPT = 2000

/** @param keyringOf the keyring that signs a tenant's events and nothing else */
export function createEventMint(keyringOf: (tenant: Tenant) => Keyring): MintEvent {
  const kept = new LRUCache<string, string>({ max: MOST_KEPT })
  return async (tenant, audience, { jti, content }) => {
    const { active } = keyringOf(tenant)
    const { type, subject, members, txn, issuedAt } = content
    const header = { alg: active.alg, typ: EVENT_TOKEN_TYPE, kid: active.kid }
    const claims = {
      iss: tenant.issuer,
      aud: audience,
      iat: Math.floor(issuedAt),
      jti,
      ...(txn === undefined ? {} : { txn }),
      sub_id: subject,
      events: { [type]: members },
    }
    const input = `${encode(header)}.${encode(claims)}`
    const signed = kept.get(input) ?? `${input}.${await active.sign(input)}`
    kept.set(input, signed)
    return signed
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
