/** Tasks over their API: listed, read as a tree, closed, revoked in part and as a whole, resumed. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Stage, setStage, tokenOf } from '../attacks/fixture.ts'
import { auditMark, auditSince } from '../attacks/refusal.ts'
import type { Answer } from '../support/agent-client.ts'
import { clientOf, type ManageClient, operatorAt, personAt } from '../support/manage-client.ts'
import { payloadOf } from '../support/signing.ts'

let stage: Stage
let operator: ManageClient
let planner: ManageClient
let researcher: ManageClient
let alice: ManageClient
beforeAll(async () => {
  stage = await setStage()
  operator = await operatorAt(stage.server)
  planner = await clientOf(stage.planner)
  researcher = await clientOf(stage.researcher)
  alice = await personAt(stage.server, 'alice')
})
afterAll(() => stage.close())

interface Tree {
  readonly txn: string
  readonly first: string
  readonly second: string
  readonly third: string
}

/** planner, researcher, coder: a token at each place, and one of coder's for an API. */
async function grow(): Promise<Tree> {
  const first = await stage.first()
  const second = tokenOf(await stage.researcher.exchange(first, { audience: 'coder-a2a' }))
  const third = tokenOf(await stage.coder.exchange(second, { audience: 'files-api' }))
  return { txn: String(payloadOf(first)['txn']), first, second, third }
}

const jtiOf = (token: string): unknown => payloadOf(token)['jti']

function reasonOf({ status, body }: Answer): string {
  return `${status} ${String(body['reason'])}`
}

describe('a task', () => {
  test('is read as a tree, by its opener', async () => {
    const { txn, first, second, third } = await grow()
    const claims = payloadOf(first)
    const { status, body, headers } = await planner.get(`tasks/${txn}`)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    const { root } = claims['act_bounds']
    const token = (text: string, parent: string): unknown => {
      const { aud, scope, iat, exp } = payloadOf(text)
      return {
        jti: jtiOf(text),
        parent,
        audience: aud,
        scope: scope.split(' '),
        reach: expect.arrayContaining([aud]),
        issued_at: new Date(iat * 1000).toISOString(),
        expires_at: new Date(exp * 1000).toISOString(),
        state: 'live',
      }
    }
    expect(body).toEqual({
      txn,
      type: 'file-work',
      subject: 'alice',
      opener: 'planner',
      opened_at: new Date(root.iat * 1000).toISOString(),
      deadline: new Date(root.exp * 1000).toISOString(),
      state: 'open',
      scope: root.scope,
      reach: root.reach,
      max_depth: root.max_depth,
      tokens: 3,
      places: [
        { place: ['planner'], agent: 'planner', tokens: [token(first, root.jti)] },
        {
          place: ['planner', 'researcher'],
          agent: 'researcher',
          tokens: [token(second, String(jtiOf(first)))],
        },
        {
          place: ['planner', 'researcher', 'coder'],
          agent: 'coder',
          tokens: [token(third, String(jtiOf(second)))],
        },
      ],
    })
    for (const reader of [operator, alice]) {
      expect((await reader.get(`tasks/${txn}`)).body).toEqual(body)
    }
    const desk = await personAt(stage.server, 'dave', { roles: ['reviewer'] })
    expect((await desk.get(`tasks/${txn}`)).body).toEqual(body)
  })

  test('shows siblings after everything beneath the first', async () => {
    const { first, txn } = await grow()
    const again = { audience: 'researcher-a2a' }
    const home = tokenOf(await stage.planner.exchange(first, again))
    await stage.researcher.exchange(home, { audience: 'coder-a2a' })
    const own = tokenOf(await stage.planner.exchange(first, { audience: 'coder-a2a' }))
    await stage.coder.exchange(own, { audience: 'files-api' })
    const { body } = await operator.get(`tasks/${txn}`)
    const places = body['places'] as { place: string[]; tokens: unknown[] }[]
    expect(places.map(({ place, tokens }) => `${place.join('/')} ${tokens.length}`)).toEqual([
      'planner 3',
      'planner/researcher 2',
      'planner/researcher/coder 1',
      'planner/coder 1',
    ])
  })

  test('is closed by its opener, once for all', async () => {
    const { txn, third, second } = await grow()
    const before = auditMark(stage.server)
    const closed = await planner.post(`tasks/${txn}/close`)
    expect(closed.status).toBe(200)
    expect(closed.body).toEqual({ txn, state: 'closed', closed_at: expect.any(String) })
    expect(auditSince(stage.server, before)).toEqual([
      expect.objectContaining({
        event: 'task',
        outcome: 'permit',
        action: 'close_task',
        author: 'agent:planner',
        roles: ['agent'],
        txn,
        subject: 'alice',
        task_type: 'file-work',
        digests: { because: expect.stringMatching(/^sha-256:/) },
      }),
    ])
    expect((await stage.server.client('files-api').introspect(third)).body).toEqual({
      active: false,
    })
    const used = await stage.coder.exchange(second, { audience: 'files-api' })
    expect(reasonOf(used)).toBe('400 task_ended')
    const again = await alice.post(`tasks/${txn}/close`, { reason: 'again' })
    expect(again.body).toEqual(closed.body)
    const { body } = await operator.get(`tasks/${txn}`)
    expect(body).toMatchObject({
      state: 'closed',
      ending: { at: closed.body['closed_at'], by: 'agent:planner', reason: 'its work is done' },
    })
    const states = (body['places'] as { tokens: { state: string }[] }[]).flatMap(({ tokens }) =>
      tokens.map(({ state }) => state),
    )
    expect(states).toEqual(['revoked', 'revoked', 'revoked'])
  })

  test('is revoked by the person it is for, after it was closed too; then it is too late to close', async () => {
    const { txn } = await grow()
    await planner.post(`tasks/${txn}/close`)
    const reason = 'this was not me'
    const revoked = await alice.post(`tasks/${txn}/revoke`, { reason })
    expect(revoked.body).toEqual({ txn, state: 'revoked', revoked_at: expect.any(String) })
    expect((await planner.get(`tasks/${txn}`)).body['ending']).toMatchObject({
      by: 'idp:alice',
      reason,
    })
    expect((await operator.post(`tasks/${txn}/revoke`, { reason: 'x' })).body).toEqual(revoked.body)
    expect(reasonOf(await planner.post(`tasks/${txn}/close`))).toBe('409 task_over')
  })

  test('revoked, has spent the token that opened it', async () => {
    const idToken = stage.server.idToken('alice', 'planner', { jti: 'once' })
    const form = { audience: 'researcher-a2a' }
    const txn = payloadOf(tokenOf(await stage.planner.open(idToken, form)))['txn']
    expect((await stage.planner.open(idToken, form)).status).toBe(200)
    await alice.post(`tasks/${txn}/revoke`, { reason: 'stop' })
    expect(reasonOf(await stage.planner.open(idToken, form))).toBe('400 subject_token_spent')
  })

  test('is resumed by people who answer for the tenant, if it is suspended', async () => {
    const { txn } = await grow()
    const reason = 'a false alarm'
    const desk = await personAt(stage.server, 'dave', { roles: ['helpdesk'] })
    expect(reasonOf(await desk.post(`tasks/${txn}/resume`, { reason }))).toBe('409 task_over')
    for (const other of [planner, alice]) {
      expect(reasonOf(await other.post(`tasks/${txn}/resume`, { reason }))).toBe(
        '403 role_required',
      )
    }
  })

  test('past its deadline is expired: not closed, but revoked', async () => {
    const { txn } = await grow()
    const later = Date.now() + 601_000
    vi.useFakeTimers({ toFake: ['Date'], now: later })
    try {
      const there = await operatorAt(stage.server)
      expect((await there.get(`tasks/${txn}`)).body['state']).toBe('expired')
      expect(reasonOf(await there.post(`tasks/${txn}/close`))).toBe('409 task_over')
      expect(reasonOf(await there.post(`tasks/${txn}/resume`, { reason: 'x' }))).toBe(
        '409 task_over',
      )
      const revoked = await there.post(`tasks/${txn}/revoke`, { reason: 'x' })
      expect(revoked.body).toMatchObject({ state: 'revoked' })
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a place', () => {
  test('is taken out with all beneath, by the agent at it; doing it again changes nothing', async () => {
    const { txn, first, second, third } = await grow()
    const sibling = tokenOf(await stage.planner.exchange(first, { audience: 'coder-a2a' }))
    const place = 'planner/researcher'
    const before = auditMark(stage.server)
    const taken = await researcher.post(`tasks/${txn}/revoke`, { place, reason: 'my key leaked' })
    expect(taken.status, taken.text).toBe(200)
    expect(taken.body).toEqual({
      txn,
      state: 'open',
      place: ['planner', 'researcher'],
      revoked_at: expect.any(String),
    })
    expect(auditSince(stage.server, before)).toEqual([
      expect.objectContaining({
        event: 'task',
        action: 'revoke_place',
        author: 'agent:researcher',
        txn,
        place,
        digests: { because: expect.stringMatching(/^sha-256:/) },
      }),
    ])
    const files = stage.server.client('files-api')
    expect((await files.introspect(third)).body).toEqual({ active: false })
    expect((await stage.researcher.introspect(second)).body).toEqual({ active: false })
    // Its siblings live; nobody comes back in.
    expect((await stage.coder.exchange(sibling, { audience: 'files-api' })).status).toBe(200)
    const back = await stage.researcher.exchange(first, { audience: 'coder-a2a' })
    expect(reasonOf(back)).toBe('400 subject_token_revoked')
    const again = await planner.post(`tasks/${txn}/revoke`, { place, reason: 'again' })
    expect(again.body).toEqual(taken.body)
    const { body } = await planner.get(`tasks/${txn}`)
    const places = body['places'] as Record<string, unknown>[]
    expect(places.map(({ place: at, revoked }) => [(at as string[]).join('/'), revoked])).toEqual([
      ['planner', undefined],
      [place, { at: taken.body['revoked_at'], by: 'agent:researcher', reason: 'my key leaked' }],
      [`${place}/coder`, undefined],
      ['planner/coder', undefined],
    ])
  })

  test('that is not there is not found', async () => {
    const { txn } = await grow()
    for (const place of ['planner/coder', 'coder', 'researcher']) {
      const answer = await planner.post(`tasks/${txn}/revoke`, { place, reason: 'x' })
      expect(reasonOf(answer)).toBe('404 not_found')
    }
    for (const place of ['', '/', 'planner/', 'Planner', 'planner//coder', 7]) {
      const answer = await planner.post(`tasks/${txn}/revoke`, { place, reason: 'x' })
      expect(reasonOf(answer)).toBe('400 request_malformed')
    }
  })
})

describe('the list', () => {
  const txnsOf = ({ body }: Answer): string[] => {
    return (body['items'] as { txn: string }[]).map(({ txn }) => txn)
  }

  test('is narrowed to one’s own, newest first', async () => {
    const { txn } = await grow()
    const own = payloadOf(await stage.own(stage.researcher))['txn']
    expect(txnsOf(await operator.get('tasks?limit=100'))).toEqual(
      expect.arrayContaining([txn, own]),
    )
    expect(txnsOf(await planner.get('tasks'))).toContain(txn)
    expect(txnsOf(await planner.get('tasks'))).not.toContain(own)
    expect(txnsOf(await researcher.get('tasks'))).toContain(own)
    expect(txnsOf(await researcher.get('tasks'))).not.toContain(txn)
    const bob = await personAt(stage.server, 'bob')
    expect((await bob.get('tasks')).body).toEqual({ items: [] })
    expect(txnsOf(await alice.get('tasks'))).toContain(txn)
    expect(txnsOf(await alice.get('tasks'))).not.toContain(own)
    const { body } = await operator.get('tasks?limit=100')
    const times = (body['items'] as { opened_at: string }[]).map((item) => item['opened_at'])
    expect(times).toEqual(times.toSorted().toReversed())
  })

  test('filters stay within what the author may read', async () => {
    const { txn } = await grow()
    expect(txnsOf(await operator.get('tasks?agent=coder&subject=alice&state=open'))).toContain(txn)
    expect(txnsOf(await operator.get('tasks?state=closed'))).not.toContain(txn)
    expect(txnsOf(await planner.get('tasks?agent=researcher'))).toContain(txn)
    expect((await researcher.get('tasks?agent=planner')).body).toEqual({ items: [] })
    const bob = await personAt(stage.server, 'bob')
    expect((await bob.get('tasks?subject=alice')).body).toEqual({ items: [] })
    expect(reasonOf(await operator.get('tasks?state=done'))).toBe('400 request_malformed')
    expect(reasonOf(await operator.get('tasks?owner=x'))).toBe('400 request_malformed')
  })

  test('goes on page by page, by a cursor that is opaque and of one form', async () => {
    const all = new Set(txnsOf(await operator.get('tasks?limit=100')))
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = await operator.get(
        `tasks?limit=2${cursor === undefined ? '' : `&cursor=${cursor}`}`,
      )
      expect(page.status).toBe(200)
      found.push(...txnsOf(page))
      cursor = page.body['next_cursor'] as string | undefined
    } while (cursor !== undefined)
    expect(found.length).toBe(new Set(found).size)
    expect(new Set(found)).toEqual(all)
    for (const text of ['x', 'MTIzNA', 'MS4', `${btoa('1.').replaceAll('=', '')}A`, 'e30']) {
      const status = (await operator.get(`tasks?cursor=${text}`)).status
      expect([text, status]).toEqual([text, text === 'MS4' ? 200 : 400])
    }
  })
})

describe('a body', () => {
  test('has the members that are taken, and no others', async () => {
    const { txn } = await grow()
    const bodies: readonly [string, unknown][] = [
      ['revoke', {}],
      ['revoke', { reason: '' }],
      ['revoke', { reason: 'a\nb' }],
      ['revoke', { reason: 'x', deadline: '2099-01-01T00:00:00Z' }],
      ['close', { state: 'open' }],
      ['resume', {}],
    ]
    for (const [verb, body] of bodies) {
      expect(reasonOf(await operator.post(`tasks/${txn}/${verb}`, body))).toBe(
        '400 request_malformed',
      )
    }
    expect((await operator.get(`tasks/${txn}`)).body['state']).toBe('open')
  })
})
