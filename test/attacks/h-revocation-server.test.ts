/**
 * Group H at the server: what was revoked is in the next status list and on the feed, of it and beneath it, whichever process
 * revoked it; and reading either shows no more and ends nothing.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { EventStream } from '../http/event-stream.ts'
import { type Claims, openToken, statusesOf } from '../http/status-site.ts'
import { operatorOf } from '../support/admin-client.ts'
import { ASSERTION_TYPE } from '../support/agent-client.ts'
import { payloadOf } from '../support/signing.ts'
import { type Stage, setStage, tokenOf } from './fixture.ts'
import { postForm, type SecondNode, startSecondNode } from './second-node.ts'

let stage: Stage
let second: SecondNode
let streams: EventStream[] = []
beforeAll(async () => {
  stage = await setStage()
  second = await startSecondNode(stage.server)
})
afterEach(() => {
  for (const stream of streams.splice(0)) stream.close()
})
afterAll(async () => {
  await second.close()
  await stage.close()
})

interface Reference {
  readonly uri: string
  readonly idx: number
}

/** Of the token itself, then of every hop above it, then of the root. */
function referencesOf(token: string): readonly Reference[] {
  const { status, act_bounds: bounds } = payloadOf(token)
  const { uri } = status.status_list
  const hops: { idx: number }[] = [...bounds.hops, bounds.root]
  return hops.map(({ idx }) => ({ uri, idx }))
}

/** A document of the tenant as `origin` tells it, verified by the keys that one publishes. */
async function read(uri: string, origin = stage.server.config.publicUrl): Promise<Claims> {
  const answer = await fetch(`${origin}${new URL(uri).pathname}`)
  expect(answer.status).toBe(200)
  const { claims, header } = await openToken(await answer.text(), await keysOf(uri, origin))
  expect(header['typ']).toBe('statuslist+jwt')
  return claims
}

async function keysOf(uri: string, origin: string): Promise<Record<string, unknown>[]> {
  const [, tenant] = /\/t\/([^/]+)\//.exec(uri) ?? []
  const { keys } = (await (await fetch(`${origin}/t/${tenant}/jwks`)).json()) as {
    keys: Record<string, unknown>[]
  }
  return keys
}

/** Each index of a token, as a list says at this moment. */
async function statuses(token: string, origin?: string): Promise<readonly number[]> {
  const references = referencesOf(token)
  const list = statusesOf(await read(references[0]?.uri ?? '', origin))
  return references.map(({ idx }) => list.at(idx))
}

async function listen(origin = stage.server.config.publicUrl, tenant = 'acme') {
  const stream = await EventStream.open(`${origin}/t/${tenant}/events`)
  streams.push(stream)
  const url = stage.server.issuer(tenant)
  return {
    stream,
    next: async (): Promise<Claims> => {
      const { data } = await stream.next()
      const keys = await keysOf(`${url}/`, stage.server.config.publicUrl)
      return (await openToken(data, keys)).claims
    },
  }
}

/** The next message that names the list. */
async function toldOf(next: () => Promise<Claims>, uri: string): Promise<Claims> {
  for (let count = 0; count < 50; count += 1) {
    const claims = await next()
    if (uri in (claims['lists'] as object)) return claims
  }
  throw new Error('the list was not named')
}

describe('H01 cascade', () => {
  test('a revoked token is invalid in the next list that is served, and so in all beneath it', async () => {
    const first = await stage.first()
    const beneath = tokenOf(await stage.researcher.exchange(first, { audience: 'coder-a2a' }))
    const other = await stage.first()
    expect(await statuses(beneath)).toEqual([0, 0, 0])
    expect((await stage.planner.revoke(first)).status).toBe(200)
    // Its own index, its parent's, the root's: a verifier refuses it by the second.
    expect(await statuses(beneath)).toContain(1)
    expect((await statuses(first))[0]).toBe(1)
    expect(await statuses(other)).toEqual([0, 0])
  })

  test('every acknowledgement is in the very next answer, many times over', async () => {
    for (let count = 0; count < 25; count += 1) {
      const token = await stage.first()
      expect((await statuses(token))[0]).toBe(0)
      await stage.planner.revoke(token)
      expect((await statuses(token))[0]).toBe(1)
    }
  })

  test('indexes of a token issued a moment ago are inside a list that was served before', async () => {
    const uri = referencesOf(await stage.first())[0]?.uri ?? ''
    const { size } = statusesOf(await read(uri))
    for (let count = 0; count < 20; count += 1) {
      const [own] = referencesOf(await stage.first())
      if (own?.uri === uri) expect(own.idx).toBeLessThan(size)
    }
  })
})

describe('H04 middle cut', () => {
  test('siblings of what was revoked stay valid', async () => {
    const first = await stage.first()
    const [one, two] = [
      tokenOf(await stage.researcher.exchange(first, { audience: 'coder-a2a' })),
      tokenOf(await stage.researcher.exchange(first, { audience: 'coder-a2a' })),
    ]
    await stage.researcher.revoke(one)
    expect((await statuses(one))[0]).toBe(1)
    expect(await statuses(two)).toEqual([0, 0, 0])
    expect(await statuses(first)).toEqual([0, 0])
  })
})

describe('several processes', () => {
  test('what one revoked the next answer of another says', async () => {
    for (let count = 0; count < 10; count += 1) {
      const token = await stage.first()
      expect((await statuses(token, second.origin))[0]).toBe(0)
      const answer = await postForm(`${second.origin}/t/acme/revoke`, {
        token,
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: stage.planner.assertion(),
      })
      expect(answer.status).toBe(200)
      expect((await statuses(token))[0]).toBe(1)
      expect((await statuses(token, second.origin))[0]).toBe(1)
    }
  })

  test('what one revoked the listeners of each are told', async () => {
    const listeners = [await listen(), await listen(second.origin)]
    await Promise.all(listeners.map(({ next }) => next()))
    const token = await stage.first()
    await stage.planner.revoke(token)
    const { uri } = referencesOf(token)[0]!
    const told = await Promise.all(listeners.map(({ next }) => toldOf(next, uri)))
    for (const claims of told) {
      const changedAt = Number((claims['lists'] as Record<string, unknown>)[uri])
      expect(changedAt).toBeLessThanOrEqual(Number(claims['seq']))
      expect(changedAt).toBeGreaterThan(Number(claims['since']))
      expect(Number((await read(uri))['seq'])).toBeGreaterThanOrEqual(changedAt)
    }
  })

  test('a stream goes on at another process where it broke off', async () => {
    const listener = await listen()
    const { id } = await listener.stream.next()
    listener.stream.close()
    const token = await stage.first()
    await stage.planner.revoke(token)
    const stream = await EventStream.open(`${second.origin}/t/acme/events`, {
      headers: { 'last-event-id': id },
    })
    streams.push(stream)
    const { claims } = await openToken(
      (await stream.next()).data,
      await keysOf(referencesOf(token)[0]!.uri, second.origin),
    )
    expect(claims['since']).toBe(Number(id))
    expect(Object.keys(claims['lists'] as object)).toEqual([referencesOf(token)[0]?.uri])
  })
})

describe('the feed', () => {
  test('is not silent for long while nothing changes', async () => {
    const { next } = await listen(undefined, 'globex')
    const first = await next()
    const second = await next()
    expect(second).toMatchObject({ seq: first['seq'], since: first['seq'], lists: {} })
    expect(Number(second['iat'])).toBeGreaterThan(Number(first['iat']))
  })

  test('K04: says at once that a key is gone, signed by its successor', async () => {
    const { stream } = await listen(undefined, 'initech')
    const keysNow = () =>
      keysOf(`${stage.server.issuer('initech')}/`, stage.server.config.publicUrl)
    const [before] = await keysNow()
    const first = await openToken((await stream.next()).data, await keysNow())
    expect(first.claims['kids']).toEqual([before?.['kid']])
    const killed = await (await operatorOf(stage.server)).post('/tenants/initech/keys/kill', {
      kid: before?.['kid'],
      reason: 'it was on a laptop',
    })
    expect(killed.status).toBe(200)
    const [after] = await keysNow()
    expect(after?.['kid']).not.toBe(before?.['kid'])
    for (;;) {
      const { data } = await stream.next()
      const { header, claims } = await openToken(data, [...(await keysNow()), before ?? {}])
      if (header['kid'] === before?.['kid']) continue // A heartbeat that was on its way.
      expect(claims['kids']).toEqual([after?.['kid']])
      break
    }
  })

  test('H09, C05: is read by whoever asks, and takes nothing from anybody', async () => {
    const token = await stage.first()
    for (const path of [
      'events',
      'status',
      `status/${referencesOf(token)[0]!.uri.split('/').at(-1)}`,
    ]) {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        const answer = await fetch(`${stage.server.issuer()}/${path}`, {
          method,
          headers: { authorization: `DPoP ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ revoked: true }),
        })
        expect([path, method, answer.status]).toEqual([path, method, 405])
      }
    }
    expect(await statuses(token)).toEqual([0, 0])
    // No token opens more than none does.
    const list = referencesOf(token)[0]!.uri
    const plain = await (await fetch(list)).text()
    const asked = await fetch(list, { headers: { authorization: `DPoP ${token}` } })
    expect(payloadOf(await asked.text())['status_list']).toEqual(payloadOf(plain)['status_list'])
  })
})

describe('F05 by id', () => {
  test("a tenant's list is at no other tenant's address, and in no other tenant's words", async () => {
    const token = await stage.first()
    const id = referencesOf(token)[0]!.uri.split('/').at(-1)
    const globex = await fetch(`${stage.server.issuer('globex')}/status`)
    expect(globex.headers.get('content-type')).toBe('application/json')
    const uris: string[] = (await globex.json())['status_lists']
    expect(uris.every((uri) => uri.startsWith(`${stage.server.issuer('globex')}/status/`))).toBe(
      true,
    )
    // No task of globex was opened, so it has no list of that window.
    const answer = await fetch(`${stage.server.issuer('globex')}/status/${id}`)
    const nothing = await fetch(`${stage.server.issuer('globex')}/status/g0-0`)
    expect([answer.status, await answer.text()]).toEqual([404, await nothing.text()])
    const { next } = await listen(undefined, 'globex')
    await next()
    await stage.planner.revoke(token)
    expect(await next()).toMatchObject({ lists: {} })
  })

  test('the aggregation names the lists that tokens refer to', async () => {
    const { uri } = referencesOf(await stage.first())[0]!
    const answer = await fetch(`${stage.server.issuer()}/status`)
    expect((await answer.json())['status_lists']).toContain(uri)
  })
})
