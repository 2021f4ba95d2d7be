/** Chains made by repeated attenuation: a tenant with agents enough for the deepest, and one hop after another. */

import type { DelegatedClaims } from '../../lib/src/act-bounds.ts'
import { readChain } from '../../lib/src/chain.ts'
import { attenuate } from '../../server/core/attenuate.ts'
import { type Ceiling, narrow, openCeiling } from '../../server/core/ceiling.ts'
import { delegatedClaims, type Lineage, placeOf } from '../../server/core/delegated-claims.ts'
import type { ProvenKey } from '../../server/core/input-token.ts'
import { openRoot } from '../../server/core/open-root.ts'
import { isRefusal, type Refusal } from '../../server/core/refusal.ts'
import type { Rules, Subject } from '../../server/core/rules.ts'
import type { Agent, Tenant } from '../../server/core/tenant.ts'
import { anAgent, anApi, anEndpoint, aTaskType, aTenant, NOW, permitAll, SCOPES } from './facts.ts'

/** One more than the deepest chain has agents. */
export const LINE = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'] as const

export interface Wish {
  /** Resource id. */
  readonly target: string
  readonly scope: readonly string[] | undefined
  /** Seconds since the hop before. */
  readonly later: number
}

export interface Token {
  readonly claims: DelegatedClaims
  readonly ceiling: Ceiling
}

const everywhere = [...LINE.map((id) => `${id}-a2a`), 'files-api', 'mail-api']
const agents = LINE.map((id) => anAgent(id, { mayReach: new Set(everywhere) }))
export const longTenant: Tenant = aTenant({
  agents,
  resources: [...LINE.map((id) => anEndpoint(id)), anApi('files'), anApi('mail'), anApi('pay')],
  tenant: {
    limits: {
      maxDepth: 8,
      taskLifetime: 900,
      tokenLifetime: 300,
      tokensPerPlace: 64,
      tokensPerTask: 256,
      requestsPerClient: 100_000,
      requestsPerTenant: 1_000_000,
      requestsPerTask: 100_000,
    },
  },
})

/** A chain under way: who holds the newest token, and what it is held to. */
export class Story {
  readonly #taskType
  readonly tokens: Token[] = []
  now = NOW
  #ids = 1

  readonly basis: 'policy' | 'client'

  readonly #tenant: Tenant
  readonly #keyOf: (holder: string) => ProvenKey

  constructor(
    basis: 'policy' | 'client',
    keyOf: (holder: string) => ProvenKey = (holder) => ({ jkt: `key-of-${holder}` }),
    rules: Rules = permitAll,
  ) {
    this.basis = basis
    this.#tenant = { ...longTenant, rules }
    this.#keyOf = keyOf
    this.#taskType = aTaskType({
      basis,
      openers: new Set(['a']),
      scopes: SCOPES,
      reach: everywhere,
      maxDepth: 8,
      lifetime: 900,
    })
  }

  /** The opener's token. */
  open(wish: Wish): Token | Refusal {
    const opened = openRoot({
      tenant: this.#tenant,
      opener: agentOf('a'),
      taskType: this.#taskType,
      subjectScope: undefined,
      subject: this.#subject,
      key: 'dpop',
      request: { scope: [], purpose: undefined },
      ids: { jti: 'root', idx: 0 },
      now: this.now,
    })
    if (isRefusal(opened)) return opened
    const { root } = opened
    const lineage: Lineage = {
      root,
      subject: this.basis === 'client' ? 'a' : 'alice',
      txn: 'task',
      list: 'g1-1',
      act: undefined,
      hops: [],
      issuedAt: this.now,
      authentication: { auth_time: NOW - 30, acr: 'urn:acr', amr: ['pwd'] },
    }
    return this.#make(['a'], lineage, openCeiling(root), wish)
  }

  /** The next agent's token from the newest one, as its recipient. */
  receive(caller: string, wish: Wish): Token | Refusal {
    const { claims, ceiling } = this.newest
    return this.#make(
      [...placeOf(claims), caller],
      { ...lineageOf(claims), act: claims.act, hops: claims.act_bounds.hops },
      ceiling,
      wish,
    )
  }

  /** Another token of the same place, by its holder. */
  hold(wish: Wish): Token | Refusal {
    const { claims, ceiling } = this.newest
    const hops = claims.act_bounds.hops.slice(1)
    return this.#make(
      placeOf(claims),
      { ...lineageOf(claims), act: claims.act?.act, hops },
      ceiling,
      wish,
    )
  }

  get newest(): Token {
    return this.tokens.at(-1)!
  }

  get #subject(): Subject | undefined {
    return this.basis === 'client' ? undefined : { id: 'alice', issuer: 'idp', claims: {} }
  }

  #make(chain: readonly string[], lineage: Lineage, parent: Ceiling, wish: Wish): Token | Refusal {
    const now = this.now + wish.later
    const { root } = lineage
    const holder = chain.at(-1)!
    const key = this.#keyOf(holder)
    const attenuated = attenuate({
      tenant: this.#tenant,
      root,
      parent,
      taskType: this.#taskType,
      caller: agentOf(holder),
      target: longTenant.resources.get(wish.target)!,
      chain,
      subject: this.#subject,
      task: { txn: lineage.txn, openedAt: root.iat, deadline: root.exp },
      key: key === undefined ? 'none' : 'dpop',
      scope: wish.scope,
      actorExpiresAt: undefined,
      // As an exchange does: with clocks apart, a child’s time begins with its parent’s.
      now: Math.max(now, lineage.issuedAt),
    })
    if (isRefusal(attenuated)) return attenuated
    this.now = now
    const id = this.#ids++
    const claims = delegatedClaims({
      tenant: this.#tenant,
      lineage,
      holder,
      attenuated,
      jti: `hop-${id}`,
      idx: id,
      key,
      now,
    })
    const token = { claims, ceiling: attenuated.ceiling }
    this.tokens.push(token)
    return token
  }
}

/** What the verifier says of the claims, as they come out of a token. */
export function verdictOf(claims: DelegatedClaims): string {
  const reading = readChain(JSON.parse(JSON.stringify(claims)))
  return reading.ok ? 'ok' : reading.reason
}

/** The ceiling a presented token stands for, out of its claims alone. */
export function ceilingOf(claims: DelegatedClaims): Ceiling | undefined {
  const { root, hops } = claims.act_bounds
  const [own] = hops
  const maxDepth = Math.min(...hops.map(({ max_depth = root.max_depth }) => max_depth))
  return own && narrow(openCeiling(root), { ...own, expiresAt: claims.exp, maxDepth })
}

export function agentOf(id: string): Agent {
  return longTenant.agents.get(id)!
}

function lineageOf(claims: DelegatedClaims): Omit<Lineage, 'act' | 'hops'> {
  const { auth_time, acr, amr } = claims
  return {
    root: claims.act_bounds.root,
    subject: claims.sub,
    txn: claims.txn,
    list: 'g1-1',
    issuedAt: claims.iat,
    authentication: { auth_time, acr, amr } as Lineage['authentication'],
  }
}
