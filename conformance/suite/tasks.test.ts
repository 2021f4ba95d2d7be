/** Tasks of the profile: seen and ended by those they belong to, and by nobody else. */
import { describe, expect } from 'vitest'
import type { Client } from './client.ts'
import type { Reply } from './http.ts'
import { payloadOf } from './jwt.ts'
import { ask, manageToken } from './manage.ts'
import {
  agents,
  api,
  apiServer,
  expectError,
  first,
  idToken,
  open,
  second,
  stranger,
  third,
  threeHops,
  tokenOf,
} from './scenario.ts'
import { readList, referenceOf, statusOf } from './status.ts'
import { verifies } from './verifies.ts'

function end(client: Client, verb: string, txn: string, body: object = {}): Promise<Reply> {
  return ask(client, `tasks/${txn}/${verb}`, { method: 'POST', body })
}

const txnOf = (token: string): string => String(payloadOf(token)['txn'])
const isActive = async (client: Client, token: string): Promise<unknown> =>
  (await client.introspect(token)).json['active']

/** On whichever page: others open tasks meanwhile. */
async function isListed(txn: string): Promise<boolean> {
  for (let cursor = ''; ; ) {
    const { json: page } = await ask(first, `tasks?state=open&limit=5${cursor}`)
    if (page['items'].some((item: { txn: unknown }) => item.txn === txn)) return true
    const next = page['next_cursor']
    if (next === undefined) return false
    cursor = `&cursor=${String(next)}`
  }
}

describe('a task', () => {
  verifies('PROF-29', 'is seen by who opened it, with everything in it', async () => {
    const { one, two, three } = await threeHops()
    const { status, json } = await ask(first, `tasks/${txnOf(one)}`)
    expect(status).toBe(200)
    expect(json).toMatchObject({ txn: txnOf(one), state: 'open', subject: 'alice' })
    const there = JSON.stringify(json['places'])
    for (const token of [one, two, three]) {
      expect(there).toContain(payloadOf(token)['jti'])
      expect(there).not.toContain(token)
    }
    expect(await isListed(txnOf(one))).toBe(true)
  })

  verifies(['PROF-29', 'PROF-12'], 'that is closed takes everything along', async () => {
    const { one, two, three } = await threeHops()
    const sibling = await threeHops()
    const closed = await end(first, 'close', txnOf(one))
    expect(closed.status).toBe(200)
    expect(closed.json).toMatchObject({ txn: txnOf(one), state: 'closed' })
    const states = await Promise.all([
      isActive(first, one),
      isActive(second, two),
      isActive(third, three),
      isActive(apiServer, three),
    ])
    expect(states).toEqual([false, false, false, false])
    const { uri } = referenceOf(one)
    expect((await readList(uri)).at(payloadOf(three)['act_bounds']['root']['idx'])).toBe(1)
    expectError(await second.exchange(one, { resource: api.uri }), 'invalid_request')
    expectError(await third.exchange(two, { resource: api.uri }), 'invalid_request')
    expect(await isActive(apiServer, sibling.three)).toBe(true)
  })

  verifies('PROF-29', 'that is revoked is not begun anew with the same token', async () => {
    const root = idToken()
    const to = { resource: agents.second.endpoint }
    const one = tokenOf(await open(to, {}, root))
    expect((await end(first, 'revoke', txnOf(one), { reason: 'it looks wrong' })).status).toBe(200)
    expectError(await open(to, {}, root), 'invalid_request')
    expect((await open(to)).status).toBe(200)
    // And nobody brings it back.
    for (const verb of ['resume', 'close', 'open', 'extend']) {
      const { status } = await end(first, verb, txnOf(one), { reason: 'again' })
      expect([403, 404, 409]).toContain(status)
    }
    expect(await isActive(first, one)).toBe(false)
  })

  verifies('PROF-29', 'loses one place, and what is beneath, for good', async () => {
    const { one, two, three } = await threeHops()
    const place = [agents.first.client_id, agents.second.client_id].join('/')
    const cut = await end(first, 'revoke', txnOf(one), { reason: 'misled', place })
    expect(cut.status).toBe(200)
    const after = [await isActive(first, one), await isActive(second, two)]
    expect([...after, await isActive(apiServer, three)]).toEqual([true, false, false])
    expect(await statusOf(referenceOf(two))).toBe(1)
    expect(await statusOf(referenceOf(one))).toBe(0)
    const again = await second.exchange(one, { resource: agents.third.endpoint })
    expectError(again, 'invalid_request')
    expect((await first.exchange(one, { resource: api.uri })).status).toBe(200)
  })

  verifies('PROF-30', 'is nobody else’s to see or to end', async () => {
    const { one, three } = await threeHops()
    const txn = txnOf(one)
    const unknown = await ask(stranger, 'tasks/AAAAAAAAAAAAAAAAAAAAAA')
    expect(unknown.status).toBe(404)
    for (const client of [stranger, second]) {
      for (const reply of [
        await ask(client, `tasks/${txn}`),
        await end(client, 'close', txn),
        await end(client, 'revoke', txn, { reason: 'mine now' }),
        await end(client, 'revoke', txn, { reason: 'x', place: agents.first.client_id }),
      ]) {
        expect({ status: reply.status, reason: reply.json['reason'] }).toEqual({
          status: 404,
          reason: unknown.json['reason'],
        })
      }
    }
    expect(await isActive(apiServer, three)).toBe(true)
  })

  verifies(
    'PROF-30',
    'takes no delegated token, and its own token opens nothing else',
    async () => {
      const { one } = await threeHops()
      expect((await ask(first, `tasks/${txnOf(one)}`, { token: one })).status).toBe(401)
      const manage = await manageToken(first)
      expect(await isActive(first, manage)).toBe(false)
      expectError(await first.exchange(manage, { resource: api.uri }), 'invalid_request')
    },
  )
})
