/** Of whom a trusted issuer may speak: subjects under its prefix, unless an agent, a resource or a longer prefix has them. */
import { expect, test } from 'vitest'
import { isItsOwnSubject } from '../../server/core/own-subject.ts'
import { aTenant, aTrustedIssuer } from './facts.ts'

const issuer = (id: string, subjectPrefix: string) =>
  aTrustedIssuer({ id, issuer: `https://${id}.example`, subjectPrefix })
const people = issuer('people', '')
const partner = issuer('partner', 'partner:')
const branch = issuer('branch', 'partner:branch:')
const rival = issuer('rival', 'rival-co:')
const tenant = aTenant({
  tenant: {
    trustedIssuers: new Map([people, partner, branch, rival].map((one) => [one.issuer, one])),
  },
})

test.each([
  ['people', 'alice', true],
  ['people', 'partner', true],
  ['people', 'alice partner:', true],
  ['people', 'partner:', false],
  ['people', 'partner:alice', false],
  ['people', 'rival-co:alice', false],
  ['partner', 'partner:alice', true],
  ['partner', 'partner:branch', true],
  ['partner', 'partner:branch:alice', false],
  ['branch', 'partner:branch:alice', true],
  ['rival', 'rival-co:alice', true],
])('%s speaks of %s: %s', (id, subject, expected) => {
  const one = tenant.trustedIssuers.get(`https://${id}.example`)!
  expect(isItsOwnSubject(tenant, one, subject)).toBe(expected)
})

test.each([
  ['an agent', 'planner'],
  ['a resource', 'files-api'],
  ['an agent’s endpoint', 'planner-a2a'],
])('nobody speaks of %s', (_, subject) => {
  expect(isItsOwnSubject(tenant, people, subject)).toBe(false)
})

test('two prefixes of one length are in nobody’s way', () => {
  const twin = issuer('twin', 'partner-')
  const of = aTenant({
    tenant: { trustedIssuers: new Map([partner, twin].map((one) => [one.issuer, one])) },
  })
  expect(isItsOwnSubject(of, partner, 'partner:alice')).toBe(true)
  expect(isItsOwnSubject(of, partner, 'partner-alice')).toBe(true)
})
