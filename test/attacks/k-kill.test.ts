/** Threat K04: a signing key is stolen. It is killed, and from then on signs nothing and is believed nowhere. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AdminClient, operatorOf, personOf } from '../support/admin-client.ts'
import type { AgentClient, Answer } from '../support/agent-client.ts'
import { epoch, headerOf, payloadOf } from '../support/signing.ts'
import { type Stage, setStage, tokenOf } from './fixture.ts'
import { exchangeAt } from './live.ts'
import {
  type AuditMark,
  auditMark,
  auditSince,
  expectGranted,
  expectRefusal,
  expectRefused,
} from './refusal.ts'
import { type SecondNode, startSecondNode } from './second-node.ts'

const KILL = '/tenants/acme/keys/kill'
const UNACCEPTABLE = 'subject_token_unacceptable'
const reason = 'the backup was stolen'

let stage: Stage
let node: SecondNode
let operator: AdminClient
beforeAll(async () => {
  stage = await setStage()
  node = await startSecondNode(stage.server)
  operator = await operatorOf(stage.server)
})
afterAll(async () => {
  await node.close()
  await stage.close()
})

async function kidInUse(tenant = 'acme'): Promise<string> {
  const { body } = await operator.get(`/tenants/${tenant}/keys`)
  return String(body['items'][0]?.kid)
}

/** Key ids of a tenant's key set, as a node publishes it. */
async function publishedAt(origin: string, tenant = 'acme'): Promise<readonly string[]> {
  const { keys } = (await (await fetch(`${origin}/t/${tenant}/jwks`)).json()) as Answer['body']
  return keys.map(({ kid }: { readonly kid: string }) => kid)
}

const kill = (kid: string, author: AdminClient = operator): Promise<Answer> =>
  author.post(KILL, { kid, reason })

describe('K04 who may kill a key', () => {
  test('every role may see which key signs, and it is the one of the key set', async () => {
    const { status, body } = await (await personOf(stage.server, 'acme', 'reviewer')).get(
      '/tenants/acme/keys',
    )
    expect([status, body]).toEqual([
      200,
      {
        items: [
          {
            kid: headerOf(await stage.first())['kid'],
            alg: 'ES256',
            state: 'active',
            signs_from: expect.stringMatching(/^\d{4}-.*Z$/),
            keeper: 'sealed',
          },
        ],
      },
    ])
    expect(await publishedAt(stage.server.config.publicUrl)).toEqual([body['items'][0].kid])
  })

  test('only the operator or an admin ends one', async () => {
    const kid = await kidInUse()
    for (const role of ['policy_author', 'helpdesk', 'reviewer'] as const) {
      const { status, body } = await kill(kid, await personOf(stage.server, 'acme', role))
      expect([status, body['reason']]).toEqual([403, 'role_required'])
    }
    const stranger = await kill(kid, await personOf(stage.server, 'globex', 'admin'))
    expect([stranger.status, stranger.body['reason']]).toEqual([404, 'not_found'])
    expect(await kidInUse()).toBe(kid)
  })

  test('a key that is not in use, of another tenant or no key at all, ends none', async () => {
    const kid = await kidInUse()
    for (const other of [await kidInUse('globex'), 'AAAAAAAA', kid.toLowerCase(), `${kid}A`]) {
      if (other === kid) continue
      const { status, body } = await kill(other)
      expect([status, body['reason']]).toEqual([412, 'precondition_failed'])
    }
    const wrong = [{ kid }, { reason }, { kid: [kid], reason }, { kid, reason: '' }]
    for (const body of [...wrong, { kid, reason, epoch: 0 }, { kid, reason: 'a\nb' }]) {
      expect((await operator.post(KILL, body)).status).toBe(400)
    }
    expect(await kidInUse()).toBe(kid)
  })
})

describe('K04 a killed key', () => {
  let killed: string
  let before: { first: string; third: string; own: string; elsewhere: string }
  let globex: AgentClient
  let filesApi: AgentClient
  let dave: AdminClient
  let since: AuditMark
  beforeAll(async () => {
    const { server, planner, researcher, coder } = stage
    globex = server.client('planner', 'globex')
    const first = await stage.first()
    const second = tokenOf(await researcher.exchange(first, { audience: 'coder-a2a' }))
    before = {
      first,
      third: tokenOf(await coder.exchange(second, { audience: 'files-api' })),
      own: await stage.own(planner),
      elsewhere: tokenOf(await globex.open(server.idToken())),
    }
    filesApi = server.client('files-api')
    expect((await filesApi.introspect(before.third)).body['active']).toBe(true)
    expect((await exchangeAt(node, researcher, first, { audience: 'coder-a2a' })).status).toBe(200)
    dave = await personOf(server, 'acme', 'admin')
    killed = await kidInUse()
    expect(stage.tokenHeader()['kid']).toBe(killed) // as a thief has it
    since = auditMark(server)
    const { status, body } = await kill(killed, dave)
    expect([status, body]).toEqual([200, { kid: killed, killed: true }])
  })

  test('is on record with its id, who ended it, and a digest of why', () => {
    expect(auditSince(stage.server, since)[0]).toMatchObject({
      event: 'management',
      outcome: 'permit',
      action: 'kill_key',
      tenant: 'acme',
      author: 'idp:dave',
      roles: ['admin'],
      kid: killed,
      digests: { because: expect.stringMatching(/^sha-256:/) },
    })
  })

  test('is on no disk any more', () => {
    const files = readdirSync(join(stage.server.config.dataFolder, 'keys'))
    expect(files).not.toContain('acme.1.sealed')
    expect(files).toContain('globex.1.sealed')
  })

  test('is in the key set of no node, and all sign with the same other key', async () => {
    const { publicUrl } = stage.server.config
    const [here, there] = [await publishedAt(publicUrl), await publishedAt(node.origin)]
    expect(here).not.toContain(killed)
    expect(here).toEqual([await kidInUse()])
    expect(there).toEqual(here)
  })

  test('makes no token a subject or an actor, here or at another node', async () => {
    const { server, planner, researcher } = stage
    await expectRefusal(server, { reason: UNACCEPTABLE, guard: 'key_unknown' }, () =>
      researcher.exchange(before.first, { audience: 'coder-a2a' }),
    )
    expectRefused(
      await exchangeAt(node, researcher, before.first, { audience: 'coder-a2a' }),
      UNACCEPTABLE,
    )
    await expectRefusal(server, { reason: 'actor_token_unacceptable' }, () =>
      planner.open(server.idToken(), {
        actor_token: before.own,
        actor_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      }),
    )
  })

  test('makes no token active at introspection', async () => {
    expect((await filesApi.introspect(before.third)).body).toEqual({ active: false })
  })

  test('lets nobody into the management API, neither who killed it', async () => {
    const { status, body } = await dave.get('/tenants/acme')
    expect([status, body['reason']]).toEqual([401, 'token_unacceptable'])
  })

  test('whose thief signs on, under its own id or the new one, is believed by nobody', async () => {
    const { server, researcher } = stage
    const claims = { ...payloadOf(before.first), iat: epoch() }
    for (const kid of [killed, await kidInUse(), undefined]) {
      // The stage holds the key as a thief would: as it was before.
      const forged = await stage.signAsTenant({ ...stage.tokenHeader(), kid }, claims)
      await expectRefusal(server, { reason: UNACCEPTABLE }, () => researcher.exchange(forged))
    }
  })

  test('ends nothing of another tenant', async () => {
    expect((await globex.exchange(before.elsewhere)).status).toBe(200)
  })

  test('does not stop work that begins anew', async () => {
    const { server, researcher } = stage
    const token = await stage.first()
    expect(headerOf(token)['kid']).toBe(await kidInUse())
    await expectGranted(server, () => researcher.exchange(token, { audience: 'coder-a2a' }))
    const there = await exchangeAt(node, researcher, token, { audience: 'coder-a2a' })
    expect(headerOf(tokenOf(there))['kid']).toBe(await kidInUse())
  })

  test('asked again, ends no second key', async () => {
    const inUse = await kidInUse()
    const { status, body } = await kill(killed)
    expect([status, body['reason']]).toEqual([412, 'precondition_failed'])
    expect(await kidInUse()).toBe(inUse)
  })

  test('asked of two nodes at once, is one key and one kill', async () => {
    const kid = await kidInUse()
    const there = await operatorOf(stage.server, node.origin)
    const answers = await Promise.all([kill(kid), kill(kid, there), kill(kid), kill(kid, there)])
    const killers = answers.filter(({ status }) => status === 200)
    expect([killers.length, answers.filter(({ status }) => status === 412).length]).toEqual([1, 3])
    const { publicUrl } = stage.server.config
    expect(await publishedAt(publicUrl)).toEqual(await publishedAt(node.origin))
  })

  test('is still dead after a restart', async () => {
    const kid = await kidInUse()
    await stage.server.stop()
    await stage.server.start()
    operator = await operatorOf(stage.server)
    expect(await kidInUse()).toBe(kid)
    await expectRefusal(stage.server, { reason: UNACCEPTABLE, guard: 'key_unknown' }, () =>
      stage.researcher.exchange(before.first, { audience: 'coder-a2a' }),
    )
  })
})
