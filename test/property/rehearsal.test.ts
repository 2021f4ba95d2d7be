/**
 * A case is decided as exchanges would be: the same chain walked by hand through the use cases, over a store in memory, comes
 * to the same decision by the same guard, and to the same token.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DelegatedClaims } from '../../lib/src/act-bounds.ts'
import { readChain } from '../../lib/src/chain.ts'
import type { Case } from '../../server/core/case.ts'
import type { ProvenKey } from '../../server/core/input-token.ts'
import { judge } from '../../server/core/judge.ts'
import { isRefusal, type Refusal } from '../../server/core/refusal.ts'
import { CASE_GUARDS, rehearse } from '../../server/core/rehearse.ts'
import { type Obligations, type StatedObligations, strictest } from '../../server/core/rules.ts'
import type { Tenant } from '../../server/core/tenant.ts'
import { actAlone } from '../../server/use-cases/act-alone.ts'
import { DecisionRecord } from '../../server/use-cases/decision-record.ts'
import { type ExchangeDeps, exchangeToken } from '../../server/use-cases/exchange-token.ts'
import type { Granted } from '../../server/use-cases/issue-hop.ts'
import { aForeignToken } from '../core/facts.ts'
import type { MemoryStore } from '../support/memory-store.ts'
import { memoryDeps } from '../use-cases/memory-deps.ts'
import { cases, rules, tenantsWithMadeHomes as tenants } from './random-tenant.ts'

const RUNS = 3000

/** Who authenticates callers and reads foreign tokens sees to these, before any use case. */
const AT_THE_DOOR = [
  'actor_unknown',
  'actor_inactive',
  'proof_required',
  'certificate_required',
  'subject_is_actor',
]

class Walk {
  readonly store: MemoryStore
  readonly #deps: ExchangeDeps
  readonly #tenant: Tenant
  readonly #asked: Case

  constructor(tenant: Tenant, asked: Case) {
    const { store, deps } = memoryDeps({ now: () => asked.now, tenant: () => tenant })
    this.store = store
    this.#deps = deps
    this.#tenant = tenant
    this.#asked = asked
  }

  async finish(): Promise<Granted | Refusal> {
    let newest = await this.#open()
    for (const at of this.#asked.actors.keys()) {
      if (at === 0) continue
      if (isRefusal(newest)) return newest
      newest = await this.#receive(at, newest.claims)
    }
    return newest
  }

  async #open(): Promise<Granted | Refusal> {
    const { subject, issuer } = this.#asked
    if (subject === undefined) return actAlone(this.#deps, this.#input(0))
    const clients = [...this.#caller(0).issuerClients]
    const known = clients.filter(([id]) => issuer === undefined || id === issuer)
    let outcome: Granted | Refusal | undefined
    for (const [id, client] of known) {
      outcome = await this.#openFrom(id, client)
      // The issuer is named, or any by which some such task may be opened at all.
      if (!isRefusal(outcome) || !outcome.guard.startsWith('task_type_')) return outcome
    }
    return outcome ?? this.#openFrom(issuer ?? 'idp', 'nobody')
  }

  #openFrom(issuerId: string, client: string): Promise<Granted | Refusal> {
    const { subject, claims } = this.#asked
    const trusted = [...this.#tenant.trustedIssuers.values()].find(({ id }) => id === issuerId)!
    const believed = Object.entries(claims).filter(([name]) => trusted.subjectClaims.includes(name))
    const token = aForeignToken({
      issuer: trusted,
      subject: subject!,
      audience: [client],
      claims: Object.fromEntries(believed),
      expiresAt: this.#asked.now + 9999,
    })
    return exchangeToken(this.#deps, { ...this.#input(0), subject: token, actor: undefined })
  }

  #receive(at: number, claims: DelegatedClaims): Promise<Granted | Refusal> {
    const subject = { kind: 'own', claims } as const
    return exchangeToken(this.#deps, { ...this.#input(at), subject, actor: undefined })
  }

  #caller(at: number) {
    return this.#tenant.agents.get(this.#asked.actors[at]!)!
  }

  /** In the middle: the scopes asked for at the end that no human has to approve, or all there are. */
  #handedOn() {
    const wanted = new Set(this.#asked.scope)
    for (const { name, tier } of this.#tenant.scopes.values()) {
      if (tier === 'execute') wanted.delete(name)
    }
    return wanted.size === 0 ? undefined : [...wanted]
  }

  #proven(at: number): ProvenKey {
    const { binding } = this.#caller(at)
    const key = this.#asked.key ?? (binding === 'mtls' ? 'mtls' : 'dpop')
    if (key === 'none') return undefined
    return key === 'dpop' ? { jkt: `key-${at}` } : { 'x5t#S256': `key-${at}` }
  }

  #input(at: number) {
    const { actors, resource, scope, taskType, purpose } = this.#asked
    const next = actors[at + 1]
    const header = { ref: 'r', tenant: 'acme', tenant_version: 'v1', event: 'token' } as const
    return {
      tenant: this.#tenant,
      caller: this.#caller(at),
      key: this.#proven(at),
      target: targetOf(next === undefined ? resource : this.#tenant.agents.get(next)!.home),
      scope: next === undefined ? scope : this.#handedOn(),
      taskType: at === 0 ? taskType : undefined,
      purpose: at === 0 ? purpose : undefined,
      record: new DecisionRecord(header),
    }
  }
}

const targetOf = (name: string) =>
  name.startsWith('https:')
    ? { audience: [], resource: [name] }
    : { audience: [name], resource: [] }

/** Obligations as the record spells them, as rules do. */
function unstated({
  max_ttl,
  max_depth,
  require_key,
  approval,
}: StatedObligations = {}): Obligations {
  return {
    ...(max_ttl === undefined ? {} : { maxTtl: max_ttl }),
    ...(max_depth === undefined ? {} : { maxDepth: max_depth }),
    ...(require_key === undefined ? {} : { requireKey: require_key }),
    ...(approval === undefined ? {} : { approval }),
  }
}

/** What is on record for the hops made, together. */
function recorded({ audit }: MemoryStore) {
  const made = audit.entries.filter(({ outcome }) => outcome === 'permit')
  return {
    policies: new Set(made.flatMap(({ policies = [] }) => policies)),
    obligations: made.reduce<Obligations>(
      (sum, entry) => strictest(sum, unstated(entry.obligations)),
      {},
    ),
  }
}

test('a case is decided as the same exchanges would be, and comes to the same token', async () => {
  const seen = { permit: 0, ask: 0, refuse: 0 }
  const guards = new Set<string>()
  let deepest = 0
  await fc.assert(
    fc.asyncProperty(tenants, rules, cases, async (facts, ofTenant, asked) => {
      const tenant = { ...facts, rules: ofTenant }
      const outcome = judge(tenant, asked)
      seen[outcome.decision] += 1
      guards.add(outcome.guard ?? '')
      const closed = CASE_GUARDS.find(({ holds }) => !holds(tenant, asked))
      if (closed !== undefined) {
        expect(outcome).toMatchObject({ decision: 'refuse', guard: closed.name, granted: [] })
        if (AT_THE_DOOR.includes(closed.name)) return
      }
      const walk = new Walk(tenant, asked)
      const real = await walk.finish()
      if (isRefusal(real)) {
        expect(outcome.granted).toEqual([])
        if (closed !== undefined) return
        expect({ reason: outcome.reason, guard: outcome.guard }).toEqual({
          reason: real.reason,
          guard: real.guard,
        })
        expect(outcome.decision).toBe(real.reason === 'approval_required' ? 'ask' : 'refuse')
        expect(outcome.policies).toEqual(expect.arrayContaining([...(real.policies ?? [])]))
        return
      }
      const { policies, obligations } = recorded(walk.store)
      expect(outcome).toEqual({
        decision: 'permit',
        reason: undefined,
        guard: undefined,
        granted: real.claims.scope.split(' '),
        policies: expect.any(Array),
        obligations,
      })
      expect(new Set(outcome.policies)).toEqual(policies)
      expectSameToken(tenant, asked, real.claims)
      deepest = Math.max(deepest, asked.actors.length)
    }),
    { numRuns: RUNS },
  )
  // Refusing everything, or everything for one reason, would agree too easily.
  expect(seen.permit).toBeGreaterThan(RUNS / 25)
  expect(seen.ask).toBeGreaterThan(0)
  expect(guards.size).toBeGreaterThan(15)
  expect(deepest).toBe(3)
}, 600_000)

function expectSameToken(tenant: Tenant, asked: Case, claims: DelegatedClaims): void {
  const { outcome } = rehearse(tenant, asked)
  if (isRefusal(outcome)) throw new Error(outcome.guard)
  const [hop] = claims.act_bounds.hops
  const { ceiling, audience } = outcome
  expect(hop).toMatchObject({ scope: ceiling.scope, reach: ceiling.reach, aud: audience })
  expect(claims.exp).toBe(ceiling.expiresAt)
  const depths = claims.act_bounds.hops.map(({ max_depth: depth }) => depth ?? 8)
  expect(Math.min(claims.act_bounds.root.max_depth, ...depths)).toBe(ceiling.maxDepth)
  expect(readChain(JSON.parse(JSON.stringify(claims)))).toMatchObject({ ok: true })
}
