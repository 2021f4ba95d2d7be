/** Which claims of a subject's token rules may read, and in which form. */
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import { believe } from '../../server/oauth/foreign-token.ts'
import { aTenant, aTrustedIssuer, NOW } from '../core/facts.ts'

const issuer = aTrustedIssuer({ subjectClaims: ['department', 'groups'] })

function claimsOf(stated: JsonObject): unknown {
  const registered = { sub: 'alice', aud: 'planner-at-idp', iat: NOW, exp: NOW + 60 }
  const signed = { issuer, claims: { ...registered, ...stated }, signingInput: 'header.payload' }
  const token = believe(aTenant(), signed, NOW)
  return typeof token === 'string' ? token : token.claims
}

describe('claims that rules may read', () => {
  test('are those the trust rule names, as lists', () => {
    const stated = { department: 'Finance Zürich', groups: ['a', 'b'], email: 'alice@acme.example' }
    expect(claimsOf(stated)).toEqual({ department: ['Finance Zürich'], groups: ['a', 'b'] })
    expect(claimsOf({})).toEqual({})
  })

  test.each<[string, JsonObject[string]]>([
    ['a number', 7],
    ['a boolean', true],
    ['null', null],
    ['a mapping', { name: 'finance' }],
    ['an empty text', ''],
    ['an empty list', []],
    ['a list with a number in it', ['finance', 7]],
    ['a list with an empty text', ['finance', '']],
    ['a text too long', 'x'.repeat(256)],
    ['too many', Array.from({ length: 33 }, (_, n) => `group-${n}`)],
    ['a line break', 'finance\n'],
    ['an invisible character', 'fin\u200bance'],
    ['a direction mark', 'finance\u202e'],
  ])('are left out where they are %s', (_, department) => {
    expect(claimsOf({ department, groups: ['a'] })).toEqual({ groups: ['a'] })
  })

  test('may be as long and as many as this', () => {
    const groups = Array.from({ length: 32 }, (_, n) => `${n}`.padEnd(255, 'x'))
    expect(claimsOf({ groups })).toEqual({ groups })
  })
})
