/** Permission is asked at every hop: what is disabled between two of them ends the chain. */
import { describe, expect } from 'vitest'
import { Client, ID_TOKEN } from './client.ts'
import { profile } from './given.ts'
import { agents, expectError, idToken, open, second, subject, tokenOf } from './scenario.ts'
import { referenceOf, statusOf } from './status.ts'
import { verifies } from './verifies.ts'

describe.runIf(profile.changing !== undefined)('a server whose facts and policy can change', () => {
  verifies('PROF-10', 'what policy takes away between two hops is gone at the next', async () => {
    const { changing } = profile
    if (changing === undefined) throw new Error('no such server')
    const [a, b, d] = (['first', 'second', 'fourth'] as const).map(
      (role) => new Client(changing.issuer, changing.agents[role]),
    ) as [Client, Client, Client]
    const root = idToken({ jwk: changing.idp.jwk })
    const toSecond = { resource: changing.agents.second.endpoint, subject_token_type: ID_TOKEN }
    const one = tokenOf(await a.exchange(root, toSecond))
    const toFourth = { resource: changing.agents.fourth.endpoint }
    const two = tokenOf(await b.exchange(one, toFourth))
    const call = { resource: changing.api.uri }
    expect((await d.exchange(two, call)).status).toBe(200)
    await fetch(`${changing.control}/forbidden/${d.id}`, { method: 'POST' })
    expectError(await d.exchange(two, call), 'invalid_target')
    const scoped = { ...call, scope: changing.api.read }
    expectError(await d.exchange(two, scoped), 'invalid_target')
    // It is policy about d, not the end of its chain.
    expect((await b.exchange(one, call)).status).toBe(200)
    expect((await b.exchange(one, toFourth)).status).toBe(200)
  })

  verifies(['PROF-10', 'PROF-20'], 'a disabled agent ends its chains', async () => {
    const { changing } = profile
    if (changing === undefined) throw new Error('no such server')
    const [a, b, c] = (['first', 'second', 'third'] as const).map(
      (role) => new Client(changing.issuer, changing.agents[role]),
    ) as [Client, Client, Client]
    const target = { resource: changing.agents.second.endpoint }
    // Its identity provider has a key of its own.
    const root = idToken({ jwk: changing.idp.jwk })
    const opened = await a.exchange(root, { ...target, subject_token_type: ID_TOKEN })
    const one = tokenOf(opened)
    const two = tokenOf(await b.exchange(one, { resource: changing.agents.third.endpoint }))
    const call = { resource: changing.api.uri }
    expect((await c.exchange(two, call)).status).toBe(200)
    await fetch(`${changing.control}/disabled/${b.id}`, { method: 'POST' })
    // It is in the middle of a chain, it is a recipient, and it is a client.
    expectError(await c.exchange(two, call), 'invalid_request')
    expectError(await b.exchange(one, call), 'invalid_client', 401)
    // What it made is dead for those who ask nobody, too; what it was handed is not its own.
    expect(await statusOf(referenceOf(two), changing.issuer)).toBe(1)
    expect(await statusOf(referenceOf(one), changing.issuer)).toBe(0)
    const again = await a.exchange(idToken({ jwk: changing.idp.jwk }), {
      ...target,
      subject_token_type: ID_TOKEN,
    })
    expectError(again, 'invalid_target')
  })
})

describe('parties that are disabled from the start', () => {
  verifies('PROF-20', 'a disabled user, a disabled client', async () => {
    const disabled = idToken({ claims: { sub: profile.idp.disabled_subject } })
    expectError(await open({}, {}, disabled), 'invalid_request')
    const retired = new Client(profile.issuer, agents.retired)
    expectError(await retired.alone(), 'invalid_client', 401)
    expectError(await retired.exchange(await subject()), 'invalid_client', 401)
    const handed = await second.exchange(await subject(), { resource: agents.retired.endpoint })
    expectError(handed, 'invalid_target')
  })
})
