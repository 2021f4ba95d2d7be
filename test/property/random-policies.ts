/** Random policy texts of a tenant's author who means no good: most try to permit more than the facts have. */
import fc from 'fast-check'
import { SCOPES } from '../core/facts.ts'
import { AGENTS, PLACES } from './random-tenant.ts'

const agent = fc.constantFrom(...AGENTS).map((id) => `Agent::"${id}"`)
const scope = fc.constantFrom(...SCOPES).map((name) => `Scope::"${name}"`)
const place = fc.constantFrom(...PLACES).map((id) => `Resource::"${id}"`)

const principals = fc.oneof(
  { weight: 3, arbitrary: fc.constant('principal') },
  { weight: 1, arbitrary: agent.map((id) => `principal == ${id}`) },
  { weight: 1, arbitrary: fc.constantFrom('principal is Agent', 'principal in Tenant::"acme"') },
)

const CONDITIONS_OF_A_HOP = [
  'true',
  'context.scope.tier == "execute"',
  'context.scope.tier == "read"',
  'context.depth <= 9',
  'context.key == "none"',
  'context.request.scope.contains("approved")',
  'context.chain_classes.contains("orchestrator")',
  'context.chain_owners.contains("finance")',
  'context has subject && context.subject.issuer == "idp"',
  'context has subject && context.subject.hasTag("department")',
  'principal.owner == context.opener.owner',
  'context.basis == "policy"',
]

const hopHeads = fc.record({
  action: fc.constantFrom(
    'action == Action::"call"',
    'action == Action::"delegate"',
    'action in [Action::"call", Action::"delegate"]',
  ),
  resource: fc.oneof(
    { weight: 3, arbitrary: fc.constant('resource') },
    { weight: 1, arbitrary: place.map((id) => `resource == ${id}`) },
  ),
  condition: fc.oneof(
    fc.constantFrom(...CONDITIONS_OF_A_HOP),
    scope.map((name) => `context.scope == ${name}`),
    agent.map((id) => `context.chain.contains(${id})`),
  ),
})

const openHeads = fc.record({
  action: fc.constant('action == Action::"open"'),
  resource: fc.constant('resource'),
  condition: fc.constantFrom(
    'true',
    'context.key == "none"',
    'context.request has purpose && context.request.purpose like "*"',
    'context.request.scope.contains("pay:transfer")',
  ),
})

const anyHeads = fc.record({
  action: fc.constant('action'),
  resource: fc.constant('resource'),
  condition: fc.constant('true'),
})

const annotations = fc
  .record({
    ttl: fc.option(fc.constantFrom('1s', '30s', '300s', '5m')),
    depth: fc.option(fc.constantFrom('1', '3', '8')),
    key: fc.option(fc.constantFrom('dpop', 'bound')),
    approval: fc.option(fc.constantFrom('propose', 'execute')),
  })
  .map(({ ttl, depth, key, approval }) =>
    [
      ttl === null ? '' : `@max_ttl("${ttl}")`,
      depth === null ? '' : `@max_depth("${depth}")`,
      key === null ? '' : `@require_key("${key}")`,
      approval === null ? '' : `@approval("${approval}")`,
    ].join('\n'),
  )

interface Policy {
  readonly effect: 'permit' | 'forbid'
  readonly principal: string
  readonly head: { readonly action: string; readonly resource: string; readonly condition: string }
  readonly clause: 'when' | 'unless'
  readonly annotations: string
}

const policies: fc.Arbitrary<Policy> = fc.record({
  effect: fc.constantFrom('permit', 'permit', 'permit', 'permit', 'forbid'),
  principal: principals,
  head: fc.oneof(hopHeads, hopHeads, openHeads, anyHeads),
  clause: fc.constantFrom('when', 'when', 'unless'),
  annotations: fc.oneof(fc.constant(''), fc.constant(''), annotations),
})

function textOf({ effect, principal, head, clause, annotations: bound }: Policy, at: number) {
  const { action, resource, condition } = head
  // A principal of every action can be a person too, and what is bound is a permit.
  const who = action === 'action' ? 'principal' : principal
  const terms = effect === 'permit' ? bound : ''
  return `@id("p${at}")\n${terms}\n${effect} (${who}, ${action}, ${resource})\n${clause} { ${condition} };\n`
}

const EVERYTHING = '@id("everything")\npermit (principal, action, resource);\n'

/** A file of policies that all compile, more often than not beginning with one that permits everything. */
export const policyTexts: fc.Arbitrary<string> = fc
  .record({
    isOpen: fc.nat(3).map((number) => number > 0),
    list: fc.array(policies, { maxLength: 5 }),
  })
  .map(({ isOpen, list }) => `${isOpen ? EVERYTHING : ''}${list.map(textOf).join('\n')}`)

/** The same with words dropped, doubled and put elsewhere: most of it is not a policy any more. */
export const brokenTexts: fc.Arbitrary<string> = fc
  .tuple(
    policyTexts,
    fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(2)), { minLength: 1, maxLength: 2 }),
  )
  .map(([text, edits]) => {
    const words = text.split(/(?<=\W)|(?=\W)/)
    for (const [from, to, kind] of edits) {
      const word = words[from % words.length] ?? ''
      words.splice(to % words.length, kind, word)
    }
    return words.join('')
  })
