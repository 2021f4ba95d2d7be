/** RFC 7009, and how far a revocation reaches in a chain. */
import { describe, expect } from 'vitest'
import type { Client } from './client.ts'
import { FORM_TYPE, form, type Reply, send } from './http.ts'
import { tampered } from './jwt.ts'
import {
  agents,
  api,
  apiServer,
  expectError,
  first,
  handover,
  issuer,
  isWhole,
  open,
  request,
  second,
  stranger,
  third,
  threeHops,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

const isActive = async (token: string, client = first): Promise<unknown> =>
  (await client.introspect(token)).json['active']

/** A token, and the client that may revoke it. */
async function revocable(): Promise<{ readonly token: string; readonly owner: Client }> {
  return isWhole
    ? { token: await handover(), owner: first }
    : { token: tokenOf(await request()), owner: second }
}

/** Two tokens of one level, each from its own parent. */
async function both(ask: (at: 0 | 1) => Promise<Reply>): Promise<readonly [string, string]> {
  return [tokenOf(await ask(0)), tokenOf(await ask(1))]
}

describe('revocation', () => {
  verifies(
    ['7009-2-01', '7009-2.1-03', '7009-2.2.1-01'],
    'a JWT is dead at once',
    async () => {
      const { token, owner } = await revocable()
      expect((await owner.revoke(token)).status).toBe(200)
      expect(await isActive(token, owner)).toBe(false)
      if (!isWhole) return
      expectError(await second.exchange(token, { resource: api.uri }), 'invalid_request')
    },
    ['revocation', 'introspection', 'token'],
  )

  verifies('7009-2.1-01', 'by its own client only', async () => {
    const token = await handover()
    for (const client of [second, stranger]) {
      const reply = await client.revoke(token)
      // The answer is the same for everybody: it tells nobody what a token is.
      expect({ status: reply.status, text: reply.text }).toEqual({ status: 200, text: '' })
    }
    expect(await isActive(token)).toBe(true)
    const anonymous = await send(`${issuer}/revoke`, {
      method: 'POST',
      headers: { 'content-type': FORM_TYPE },
      body: form({ token }),
    })
    expectError(anonymous, 'invalid_client', 401)
    expect(await isActive(token)).toBe(true)
  })

  verifies(
    ['7009-2.1-02', '7009-2.2-02'],
    'whatever the hint',
    async () => {
      for (const token_type_hint of ['refresh_token', 'access_token', 'x']) {
        const { token, owner } = await revocable()
        expect((await owner.revoke(token, { token_type_hint })).status).toBe(200)
        expect(await isActive(token, owner)).toBe(false)
      }
    },
    ['revocation', 'introspection', 'token'],
  )

  verifies(
    '7009-2.2-01',
    'what is no token is revoked with 200',
    async () => {
      const { token, owner } = await revocable()
      await owner.revoke(token)
      for (const text of ['garbage', 'a.b.c', tampered(token), token]) {
        expect((await owner.revoke(text)).status).toBe(200)
      }
      expectError(await owner.post('revocation', {}), 'invalid_request')
    },
    ['revocation', 'token'],
  )

  verifies('PROF-12', 'a tree of four levels dies with its root, and no other', async () => {
    const grow = async () => {
      const home = tokenOf(await open())
      const two = await both(() => first.exchange(home, { resource: agents.second.endpoint }))
      const three = await both((at) =>
        second.exchange(two[at], { resource: agents.third.endpoint }),
      )
      const four = await both((at) => third.exchange(three[at], { resource: api.uri }))
      return { home, two, three, four }
    }
    const [tree, other] = [await grow(), await grow()]
    const states = async ({ home, two, three, four }: typeof tree): Promise<unknown[]> =>
      Promise.all([
        isActive(home),
        ...two.map((token) => isActive(token)),
        ...three.map((token) => isActive(token, second)),
        ...four.map((token) => isActive(token, apiServer)),
      ])
    expect(new Set(await states(tree))).toEqual(new Set([true]))
    expect((await first.revoke(tree.home)).status).toBe(200)
    expect(new Set(await states(tree))).toEqual(new Set([false]))
    expect(new Set(await states(other))).toEqual(new Set([true]))
    for (const at of [0, 1] as const) {
      expectError(await third.exchange(tree.three[at], { resource: api.uri }), 'invalid_request')
    }
  })

  verifies('PROF-12', 'everything that came from it dies, siblings live', async () => {
    const { one, two, three } = await threeHops()
    const sibling = await threeHops()
    const other = tokenOf(await second.exchange(one, { resource: api.uri }))
    expect((await first.revoke(one)).status).toBe(200)
    const states = [
      await isActive(one),
      await isActive(two, second),
      await isActive(other, second),
      await isActive(three, third),
      await isActive(three, apiServer),
    ]
    expect(states).toEqual([false, false, false, false, false])
    expectError(await third.exchange(two, { resource: api.uri }), 'invalid_request')
    expect(await isActive(sibling.three, apiServer)).toBe(true)
    // A cut in the middle leaves what is above it.
    expect((await second.revoke(sibling.two)).status).toBe(200)
    expect(await isActive(sibling.one)).toBe(true)
    expect(await isActive(sibling.three, apiServer)).toBe(false)
    const again = await second.exchange(sibling.one, { resource: agents.third.endpoint })
    expect(again.status).toBe(200)
  })
})
