/** By what right a subject token may be exchanged: holder, recipient or root, and every way that is none. */
import { describe, expect, test } from 'vitest'
import type { DelegatedClaims } from '../../lib/src/act-bounds.ts'
import type { ForeignToken, ProvenKey } from '../../server/core/input-token.ts'
import { REASONS } from '../../server/core/refusal.ts'
import { findWayIn, holdsKey, weakensBinding } from '../../server/core/way-in.ts'
import {
  aForeignToken,
  anAgent,
  anOwnToken,
  aTenant,
  aTrustedIssuer,
  ISSUER,
  NOW,
} from './facts.ts'

const tenant = aTenant()
const KEY: ProvenKey = { jkt: 'key-of-planner' }

function wayOf(caller: string, parts: Partial<DelegatedClaims> = {}, ...keys: [ProvenKey?]) {
  const [key] = keys.length === 0 ? [KEY] : keys
  return findWayIn(tenant, tenant.agents.get(caller)!, anOwnToken(parts), key)
}
const unacceptable = (guard: string) => ({
  kind: 'refusal',
  reason: 'subject_token_unacceptable',
  guard,
})

describe('a bound token', () => {
  const certificate = { 'x5t#S256': 'certificate' }
  const keys: readonly ProvenKey[] = [undefined, KEY, certificate, { ...KEY, ...certificate }]

  test.each(keys.map((parent) => [JSON.stringify(parent) ?? 'nothing', parent] as const))(
    'of %s is exchanged by what its recipient proves, whatever that is, and never for nothing',
    (_, parent) => {
      for (const proven of keys) {
        const isWeaker = parent !== undefined && proven === undefined
        expect([proven, weakensBinding(parent, proven)]).toEqual([proven, isWeaker])
      }
    },
  )

  test.each(keys.map((bound) => [JSON.stringify(bound) ?? 'nothing', bound] as const))(
    'of %s is its holder’s with all of that and no less',
    (_, bound) => {
      for (const proven of keys) {
        const isAll = Object.keys(bound ?? {}).every((name) => name in (proven ?? {}))
        expect([proven, holdsKey(bound, proven)]).toEqual([proven, isAll])
      }
    },
  )
})

describe('the holder', () => {
  test('is the client of the token, with the key it is bound to', () => {
    const token = anOwnToken()
    expect(findWayIn(tenant, tenant.agents.get('planner')!, token, KEY)).toEqual({
      kind: 'holder',
      token,
    })
  })

  test('of a token without confirmation was a bearer client: any key, and none', () => {
    const token = anOwnToken()
    const { cnf, ...claims } = token.claims
    expect(cnf).toBeDefined()
    const bearer = { ...token, claims }
    for (const key of [undefined, KEY]) {
      expect(findWayIn(tenant, tenant.agents.get('planner')!, bearer, key)).toMatchObject({
        kind: 'holder',
      })
    }
  })

  test.each<[string, DelegatedClaims['cnf'] | Record<string, unknown>, ProvenKey]>([
    ['no key', KEY, undefined],
    ['another key', KEY, { jkt: 'another' }],
    ['a key of no name', KEY, { jkt: '' }],
    ['a key, and a certificate is asked for', { 'x5t#S256': 'x' }, KEY],
    ['a key, and a certificate is asked for beside it', { ...KEY, 'x5t#S256': 'x' }, KEY],
    ['a key, and something unknown is asked for beside it', { ...KEY, kid: 'x' }, KEY],
    ['a key for a confirmation of nothing', {}, KEY],
    ['no key for a confirmation of nothing', {}, undefined],
    ['no key for an unknown confirmation', { kid: 'x' }, undefined],
  ])('is refused with %s', (_, cnf, key) => {
    expect(wayOf('planner', { cnf: cnf as { jkt?: string } }, key)).toEqual(
      unacceptable('subject_key_not_proven'),
    )
  })

  test('that is its audience too is the holder', () => {
    expect(wayOf('planner', { aud: 'https://planner.agents/a2a' })).toMatchObject({
      kind: 'holder',
    })
    const aud = 'https://planner.agents/a2a'
    expect(wayOf('planner', { aud }, { jkt: 'another' })).toEqual(
      unacceptable('subject_key_not_proven'),
    )
  })
})

describe('the recipient', () => {
  test('is the one agent that answers at the audience; the sender’s key is not its to prove', () => {
    for (const key of [undefined, { jkt: 'key-of-researcher' }, KEY]) {
      expect(wayOf('researcher', {}, key)).toMatchObject({ kind: 'recipient' })
    }
  })

  test.each(['coder', 'rogue'])('is not %s, who only has the token', (caller) => {
    expect(wayOf(caller)).toEqual(unacceptable('caller_neither_holder_nor_recipient'))
  })

  test.each([
    'https://RESEARCHER.agents/a2a',
    'https://researcher.agents/a2a/',
    'https://researcher.agents:443/a2a',
    'researcher-a2a',
    'researcher',
    '',
  ])('is not the agent of another spelling of the audience: %j', (aud) => {
    expect(wayOf('researcher', { aud })).toEqual(unacceptable('subject_audience_is_no_agent'))
  })
})

describe('a token for an API', () => {
  test.each(['planner', 'researcher', 'rogue'])('is no subject token of %s', (caller) => {
    expect(wayOf(caller, { aud: 'https://files.api' })).toEqual(
      unacceptable('subject_audience_is_no_agent'),
    )
  })
})

describe('the root', () => {
  const rootOf = (parts: Partial<ForeignToken> = {}, caller = anAgent('planner')) =>
    findWayIn(tenant, caller, aForeignToken(parts), undefined)
  const ours = { audience: [ISSUER], client: 'planner-at-idp' }
  const named = { issuer: aTrustedIssuer({ audiences: new Set(['urn:acme:agents']) }) }
  const asNamed = { ...named, audience: ['urn:acme:agents'], client: 'planner-at-idp' }

  test.each<[string, Partial<ForeignToken>]>([
    ['its client id at the issuer as the one audience', {}],
    ['its client id as the authorized party too', { azp: 'planner-at-idp' }],
    ['our issuer as audience and itself as the client', ours],
    ['our issuer as audience, itself as client and party', { ...ours, azp: 'planner-at-idp' }],
    ['another configured name of ours, and itself as the client', asNamed],
  ])('is open to a caller with %s', (_, parts) => {
    expect(rootOf(parts)).toMatchObject({ kind: 'root' })
  })

  test.each<[string, Partial<ForeignToken>]>([
    ['foreign_chain', { hasChain: true }],
    ['foreign_audience_not_single', { audience: [] }],
    ['foreign_audience_not_single', { audience: ['planner-at-idp', 'planner-at-idp'] }],
    ['foreign_audience_not_single', { audience: ['planner-at-idp', ISSUER] }],
    ['foreign_audience_mismatch', { audience: ['planner'] }],
    ['foreign_audience_mismatch', { audience: ['researcher-at-idp'] }],
    ['foreign_audience_mismatch', { audience: [''] }],
    ['foreign_audience_mismatch', { audience: [ISSUER] }],
    ['foreign_audience_mismatch', { ...ours, client: 'researcher-at-idp' }],
    ['foreign_audience_mismatch', { ...ours, client: 'planner' }],
    ['foreign_audience_mismatch', { ...ours, audience: [`${ISSUER}/`] }],
    ['foreign_audience_mismatch', { ...ours, audience: [`${ISSUER}/token`] }],
    ['foreign_audience_mismatch', { ...asNamed, client: undefined }],
    ['foreign_audience_mismatch', { ...asNamed, client: 'researcher-at-idp' }],
    ['foreign_audience_mismatch', { ...asNamed, audience: ['urn:acme:agents/'] }],
    ['foreign_audience_mismatch', { ...asNamed, issuer: aTrustedIssuer() }],
    ['foreign_audience_not_single', { ...asNamed, audience: ['urn:acme:agents', ISSUER] }],
    ['foreign_azp_mismatch', { ...asNamed, azp: 'researcher-at-idp' }],
    ['foreign_azp_mismatch', { azp: 'researcher-at-idp' }],
    ['foreign_azp_mismatch', { azp: '' }],
    ['foreign_azp_mismatch', { ...ours, azp: 'planner' }],
    ['caller_unknown_at_issuer', { issuer: aTrustedIssuer({ id: 'partner' }) }],
  ])('%s: %j', (guard, parts) => {
    expect(rootOf(parts)).toEqual(unacceptable(guard))
  })

  test('is closed to an agent the issuer does not know', () => {
    const stranger = anAgent('planner', { issuerClients: new Map() })
    expect(rootOf({}, stranger)).toEqual(unacceptable('caller_unknown_at_issuer'))
    expect(rootOf({}, anAgent('researcher'))).toEqual(unacceptable('foreign_audience_mismatch'))
  })

  test('E10 is closed to what was given to the agent that bore the id before', () => {
    const caller = anAgent('planner', { registeredAt: NOW })
    for (const issuedAt of [NOW - 1, NOW]) {
      expect(rootOf({ issuedAt }, caller)).toEqual(unacceptable('audience_changed_hands'))
    }
    expect(rootOf({ issuedAt: NOW + 1 }, caller)).toMatchObject({ kind: 'root' })
  })
})

test('before a way in is found there is one public reason, and it tells nothing', () => {
  expect(REASONS.subject_token_unacceptable).toEqual({
    error: 'invalid_request',
    status: 400,
    text: 'the subject token is not acceptable',
  })
})
