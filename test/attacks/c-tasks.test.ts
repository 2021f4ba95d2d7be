/**
 * Threat C05 between the planes of a tenant: a token for `{issuer}/manage` is good for its tasks, events and records alone, and
 * nothing else is good for those. And who is given one: agents, receivers and resource servers by their keys, people by their sign-in, nobody by luck.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createVerifier, VerificationError } from '../../lib/src/index.ts'
import {
  AdminClient,
  MANAGEMENT_CLIENT,
  operatorForm,
  operatorOf,
  personOf,
} from '../support/admin-client.ts'
import {
  ACCESS_TOKEN,
  AgentClient,
  type Answer,
  ID_TOKEN,
  JWT_TYPE,
} from '../support/agent-client.ts'
import {
  clientOf,
  type ManageClient,
  operatorAt,
  personAt,
  presenting,
} from '../support/manage-client.ts'
import { headerOf, newKey, payloadOf, type TestKey } from '../support/signing.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'
import { find, type Stage, setStage, tokenOf } from './fixture.ts'
import { apply, setDisabled } from './live.ts'
import { expectGranted, expectRefusal } from './refusal.ts'

const GRANT = { grant_type: 'client_credentials' } as const

let stage: Stage
let operator: AdminClient
let issuer: string
let resource: string
/** Receivers of events: one that proves a key, one that does not. */
let siem: AgentClient
let pager: AgentClient
const siemKey = newKey('siem-1')
const pagerKey = newKey('pager-1')
beforeAll(async () => {
  stage = await setStage()
  issuer = stage.server.issuer()
  resource = `${issuer}/manage`
  operator = await operatorOf(stage.server)
  siem = new AgentClient(issuer, 'siem', siemKey)
  pager = new AgentClient(issuer, 'pager', pagerKey)
  await configure()
})
afterAll(() => stage.close())

/** The tenant of these tests, with one more change. */
async function configure(change: (documents: TenantDocuments) => void = () => {}): Promise<void> {
  await apply(stage.server, operator, {
    documents: (documents) => {
      const { tenant, agents } = documents
      tenant['event_receivers'] = [
        aReceiver('siem', siemKey),
        aReceiver('pager', pagerKey, 'bearer'),
      ]
      find(agents.agents, 'coder')['binding'] = 'bearer'
      change(documents)
    },
  })
}

function aReceiver(id: string, { publicJwk }: TestKey, binding = 'dpop') {
  return { id, binding, jwks: { keys: [publicJwk] } }
}

const reasonOf = ({ status, body }: Answer): string => `${status} ${String(body['reason'])}`

/** Everybody who may have a token for `{issuer}/manage`. */
async function holders(): Promise<readonly ManageClient[]> {
  const { server, planner } = stage
  const [admin, alice] = await Promise.all([
    personAt(server, 'dave', { roles: ['admin'] }),
    personAt(server, 'alice'),
  ])
  const clients = [planner, siem, server.client('files-api')]
  return [await operatorAt(server), admin, alice, ...(await Promise.all(clients.map(clientOf)))]
}

describe('C05 at a tenant’s tasks', () => {
  test('C05 every token of another plane is refused, with a good proof and without', async () => {
    const { server, planner, coder } = stage
    const globex = server.client('planner', 'globex')
    const admin = await personOf(server, 'acme', 'admin')
    const bearer = tokenOf(await coder.token(GRANT, { proof: null }))
    const tokens: readonly (readonly [string, string, TestKey?])[] = [
      ['an access token', await stage.first(), planner.proofKey],
      ['an agent’s own', await stage.own(planner), planner.proofKey],
      ['one bound to nothing', bearer],
      ['an ID token', server.idToken('dave', MANAGEMENT_CLIENT, { groups: ['identity-team'] })],
      ['an assertion', planner.assertion()],
      ['a proof', planner.proof(), planner.proofKey],
      ['an admin’s, for the admin API', admin.token, admin.key],
      ['the operator’s, for the admin API', operator.token, operator.key],
      ['an agent’s of another tenant', (await clientOf(globex)).token, globex.proofKey],
      ['the operator’s for another tenant', (await operatorAt(server, 'globex')).token],
    ]
    for (const [what, token, key] of tokens) {
      const client = presenting(issuer, token, key)
      for (const answer of [
        await client.get('tasks'),
        await client.get(`tasks/${'x'.repeat(22)}`),
        await client.post(`tasks/${'x'.repeat(22)}/revoke`, { reason: 'x' }),
      ]) {
        expect([what, reasonOf(answer)]).toEqual([what, '401 token_unacceptable'])
      }
      const bare = await client.get('tasks', { authorization: `Bearer ${token}`, proof: null })
      expect([what, reasonOf(bare)]).toEqual([what, '401 token_unacceptable'])
      expect([what, reasonOf(await client.get('tasks', { proof: null }))]).toEqual([
        what,
        '401 proof_required',
      ])
    }
  })

  test('C05 its own tokens are refused under Bearer, without proof, and with another’s', async () => {
    for (const client of await holders()) {
      const authorization = `Bearer ${client.token}`
      const answers = [
        await client.get('tasks', { authorization }),
        await client.get('tasks', { authorization, proof: null }),
        await client.get('tasks', { authorization: null }),
        await client.get('tasks', { proof: null }),
        await client.get('tasks', { proofKey: newKey() }),
        await client.get('tasks', { proof: { ath: undefined } }),
        await client.get('tasks', { proof: { htm: 'POST' } }),
        await client.get('tasks', { proof: { htu: `${issuer}/token` } }),
      ]
      expect(answers.map(reasonOf)).toEqual([
        '401 token_required',
        '401 token_required',
        '401 token_required',
        '401 proof_required',
        ...Array.from({ length: 4 }, () => '401 proof_invalid'),
      ])
    }
  })

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['a list of audiences', { aud: ['{manage}'] }],
    ['two audiences', { aud: ['{manage}', '{admin}'] }],
    ['the issuer as audience', { aud: '{issuer}' }],
    ['a longer audience', { aud: '{manage}/' }],
    ['no scope', { scope: undefined }],
    ['two kinds at once', { scope: 'agent receiver' }],
    ['an agent with a role', { scope: 'agent admin' }],
    ['the operator by a tenant’s key', { scope: 'operator', sub: 'operator' }],
    ['an agent that signed in as a person', { sub_from: 'idp' }],
    ['a person from nowhere', { scope: 'admin' }],
    ['two names', { client_id: 'researcher' }],
    ['an agent that is none', { sub: 'nobody', client_id: 'nobody' }],
    ['another tenant', { tenant: 'globex' }],
    ['no tenant', { tenant: undefined }],
    ['no binding', { cnf: undefined }],
    ['a binding to nothing', { cnf: {} }],
    ['a year', { exp: 1_999_999_999 }],
    ['tomorrow', { iat: 1_999_999_000, exp: 1_999_999_100 }],
  ])('C05 refuses one that is signed and says %s', async (_, change) => {
    const real = await clientOf(stage.planner)
    const words: Readonly<Record<string, string>> = {
      '{manage}': resource,
      '{issuer}': issuer,
      '{admin}': `${stage.server.config.publicUrl}/admin/v1`,
    }
    const text = JSON.stringify({ ...payloadOf(real.token), ...change })
    const payload = text.replaceAll(/\{(?:manage|issuer|admin)\}/g, (word) => words[word] ?? word)
    const forged = await stage.signAsTenant(headerOf(real.token), payload)
    const answer = await presenting(issuer, forged, real.key).get('tasks')
    expect(reasonOf(answer)).toBe('401 token_unacceptable')
    const again = await stage.signAsTenant(headerOf(real.token), payloadOf(real.token))
    expect((await presenting(issuer, again, real.key).get('tasks')).status).toBe(200)
  })

  test('C05 an access token’s type is no manage token’s, whatever it says', async () => {
    const real = await clientOf(stage.planner)
    const forged = await stage.signAsTenant(stage.tokenHeader(), payloadOf(real.token))
    expect(reasonOf(await presenting(issuer, forged, real.key).get('tasks'))).toBe(
      '401 token_unacceptable',
    )
  })
})

describe('C05 away from them', () => {
  test('C05 a token for {issuer}/manage is nothing at the admin API', async () => {
    for (const { token, key } of await holders()) {
      const client = Object.assign(new AdminClient(stage.server.config.publicUrl), { token, key })
      for (const path of ['/tenants', '/tenants/acme', '/tenants/acme/agents']) {
        expect(reasonOf(await client.get(path))).toBe('401 token_unacceptable')
      }
      const body = { agent: 'planner', reason: 'x' }
      expect(reasonOf(await client.post('/tenants/acme/revocations', body))).toBe(
        '401 token_unacceptable',
      )
    }
  })

  test('C05 it is no subject token, no actor token and no assertion', async () => {
    const { server, planner, researcher } = stage
    const first = await stage.first()
    for (const { token } of await holders()) {
      for (const subject_token_type of [ACCESS_TOKEN, ID_TOKEN, JWT_TYPE]) {
        await expectRefusal(server, { reason: 'subject_token_unacceptable' }, () =>
          planner.exchange(token, { subject_token_type }),
        )
      }
      const actor = { actor_token: token, actor_token_type: ACCESS_TOKEN }
      await expectRefusal(server, { reason: 'actor_token_unacceptable' }, () =>
        researcher.exchange(first, actor),
      )
      await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
        planner.token({ ...GRANT, client_assertion: token }),
      )
    }
  })

  test('C05 nobody introspects or revokes one', async () => {
    const { server, planner } = stage
    for (const { token, ...holder } of await holders()) {
      for (const client of [planner, siem, server.client('files-api')]) {
        expect((await client.introspect(token)).text).toBe('{"active":false}')
        expect((await client.revoke(token)).status).toBe(200)
      }
      expect(reasonOf(await presenting(issuer, token, holder.key).get('tasks'))).not.toMatch(/^401/)
    }
  })

  test('C05 it is refused by a resource server', async () => {
    const url = 'https://files.api/x'
    const verifier = createVerifier({
      issuer,
      audience: resource,
      revocation: 'off',
      allowInsecureLoopback: true,
    })
    for (const client of await holders()) {
      const proof = client.proof('GET', url)
      const presented = { token: client.token, proof, method: 'GET', url }
      await expect(verifier.verify(presented, { scope: 'agent' })).rejects.toThrow(
        VerificationError,
      )
    }
  })
})

describe('who is given one', () => {
  test('an agent, by that resource alone; no task is opened', async () => {
    const { server, planner } = stage
    const before = (await (await operatorAt(server)).get('tasks?agent=rogue')).body
    const claims = await expectGranted(server, () => stage.rogue.token({ ...GRANT, resource }))
    expect(claims).toEqual({
      iss: issuer,
      sub: 'rogue',
      aud: resource,
      client_id: 'rogue',
      scope: 'agent',
      tenant: 'acme',
      iat: expect.any(Number),
      exp: claims['iat'] + 300,
      jti: expect.any(String),
      cnf: expect.any(Object),
    })
    expect((await (await operatorAt(server)).get('tasks?agent=rogue')).body).toEqual(before)
    const target = { reason: 'target_not_permitted' } as const
    for (const [form, expected] of [
      [{ resource: [resource, 'https://files.api'] }, { reason: 'target_ambiguous' }],
      [{ resource, audience: 'files-api' }, { reason: 'target_ambiguous' }],
      [{ resource: `${resource}/` }, target],
      [{ resource: `${server.issuer('globex')}/manage` }, target],
      [{ resource: `${server.config.publicUrl}/admin/v1` }, target],
      [{ audience: resource }, target],
      [{ resource, scope: 'files:read' }, { reason: 'scope_not_permitted' }],
      [{ resource, scope: 'admin' }, { reason: 'scope_not_permitted' }],
      [{ resource, scope: 'receiver' }, { reason: 'scope_not_permitted' }],
      [{ resource, task_type: 'own-work' }, { reason: 'request_malformed' }],
      [{ resource, purpose: 'x' }, { reason: 'request_malformed' }],
    ] as const) {
      await expectRefusal(server, expected, () => planner.token({ ...GRANT, ...form }))
    }
    const first = await stage.first()
    await expectRefusal(server, target, () => planner.exchange(first, { resource }))
  })

  test('an agent that needs no proof elsewhere needs one here', async () => {
    const { server, coder } = stage
    expect((await coder.token(GRANT, { proof: null })).body['token_type']).toBe('Bearer')
    await expectRefusal(server, { reason: 'proof_required' }, () =>
      coder.token({ ...GRANT, resource }, { proof: null }),
    )
    expect((await (await clientOf(coder)).get('tasks')).status).toBe(200)
  })

  test('a receiver of events, and nothing else to it', async () => {
    const { server } = stage
    for (const client of [siem, pager]) {
      await expectRefusal(server, { reason: 'target_not_permitted' }, () => client.token(GRANT))
      await expectRefusal(server, { reason: 'target_not_permitted' }, () =>
        client.token({ ...GRANT, resource: 'https://files.api' }),
      )
      const first = await stage.first()
      await expectRefusal(server, { reason: 'grant_not_permitted' }, () => client.exchange(first))
      expect((await client.introspect(first)).text).toBe('{"active":false}')
      const { body } = await client.token({ ...GRANT, resource, scope: 'receiver' })
      expect(body).toMatchObject({ token_type: 'DPoP', scope: 'receiver' })
      expect(reasonOf(await (await clientOf(client)).get('tasks'))).toBe('403 role_required')
    }
    await expectRefusal(server, { reason: 'proof_required' }, () =>
      siem.token({ ...GRANT, resource }, { proof: null }),
    )
  })

  test('a resource server, and no task is its own; without keys it is nobody', async () => {
    const { server } = stage
    const files = server.client('files-api')
    const { body } = await files.token({ ...GRANT, resource, scope: 'resource' })
    expect(body).toMatchObject({ token_type: 'DPoP', scope: 'resource' })
    const client = await clientOf(files)
    for (const path of ['tasks', `tasks/${'x'.repeat(22)}`, 'ssf/stream']) {
      expect(reasonOf(await client.get(path))).toBe('403 role_required')
    }
    await expectRefusal(server, { reason: 'proof_required' }, () =>
      files.token({ ...GRANT, resource }, { proof: null }),
    )
    await expectRefusal(server, { reason: 'scope_not_permitted' }, () =>
      files.token({ ...GRANT, resource, scope: 'agent' }),
    )
    await configure(({ resources }) => {
      delete find(resources.resources, 'files-api')['keys']
    })
    expect(reasonOf(await client.get('tasks'))).toBe('401 token_unacceptable')
    await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
      files.token({ ...GRANT, resource }),
    )
    await configure()
  })

  test('a receiver’s token may be bound to nothing, where its fact says so, as long as it does', async () => {
    const { server } = stage
    const answer = await pager.token({ ...GRANT, resource }, { proof: null })
    expect(answer.body).toMatchObject({ token_type: 'Bearer', scope: 'receiver' })
    expect(answer.body).not.toHaveProperty('cnf')
    const token = tokenOf(answer)
    expect(payloadOf(token)).not.toHaveProperty('cnf')
    const client = presenting(issuer, token)
    const bearer = { authorization: `Bearer ${token}`, proof: null } as const
    expect(reasonOf(await client.get('tasks', bearer))).toBe('403 role_required')
    // Under the scheme of bound tokens it is none.
    expect(reasonOf(await client.get('tasks'))).toBe('401 token_unacceptable')
    const receivers = (entries: readonly unknown[]): Promise<string> =>
      apply(server, operator, {
        documents: ({ tenant }) => {
          tenant['event_receivers'] = entries
        },
      })
    await receivers([aReceiver('siem', siemKey), aReceiver('pager', pagerKey)])
    expect(reasonOf(await client.get('tasks', bearer))).toBe('401 token_unacceptable')
    await receivers([])
    expect(reasonOf(await client.get('tasks', bearer))).toBe('401 token_unacceptable')
    await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
      pager.token({ ...GRANT, resource }),
    )
    await receivers([aReceiver('siem', siemKey), aReceiver('pager', pagerKey, 'bearer')])
  })

  test('a person, role or not; for the admin API a role it has to be', async () => {
    const { server } = stage
    const idToken = () => server.idToken('alice', MANAGEMENT_CLIENT)
    const client = new AdminClient(server.config.publicUrl)
    const { body } = await client.signInPerson('acme', idToken(), { resource })
    expect(body).toMatchObject({ token_type: 'DPoP', scope: 'subject' })
    for (const form of [
      {},
      { resource: `${server.config.publicUrl}/admin/v1` },
      { audience: `${server.config.publicUrl}/admin/v1` },
    ]) {
      await expectRefusal(server, { reason: 'role_required' }, () =>
        client.signInPerson('acme', idToken(), form),
      )
    }
    for (const form of [
      { resource: `${server.issuer('globex')}/manage` },
      { resource, audience: `${server.config.publicUrl}/admin/v1` },
      { resource: `${resource}/` },
    ]) {
      await expectRefusal(server, { reason: 'target_not_permitted' }, () =>
        client.signInPerson('acme', idToken(), form),
      )
    }
    const subject = server.idToken('dave', MANAGEMENT_CLIENT, { groups: ['reviewers'] })
    const some = await client.signInPerson('acme', subject, { resource, scope: 'reviewer' })
    expect(some.body['scope']).toBe('reviewer')
    const both = await client.signInPerson('acme', subject, { resource })
    expect(both.body['scope']).toBe('reviewer subject')
  })

  test('the operator, for one tenant that is there', async () => {
    const { server } = stage
    for (const wrong of [
      `${server.config.publicUrl}/t/nobody/manage`,
      `${resource}/`,
      `${issuer}/token`,
      `${server.config.publicUrl}/t/`,
      'https://files.api',
    ]) {
      const client = new AdminClient(server.config.publicUrl)
      await expectRefusal(server, { reason: 'target_not_permitted' }, () =>
        client.signIn('/token', { ...operatorForm(server), resource: wrong }),
      )
    }
  })

  test('E09 E10 nobody once they are disabled, nor another agent of the same name', async () => {
    const { server, rogue } = stage
    const held = await clientOf(rogue)
    await setDisabled(operator, 'rogue', true)
    expect(reasonOf(await held.get('tasks'))).toBe('401 token_unacceptable')
    await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
      rogue.token({ ...GRANT, resource }),
    )
    await setDisabled(operator, 'rogue', false)
    expect((await held.get('tasks')).status).toBe(200)
    const receivers = [aReceiver('siem', siemKey), aReceiver('pager', pagerKey, 'bearer')]
    await apply(server, operator, {
      documents: ({ tenant, agents, resources, taskTypes }) => {
        tenant['event_receivers'] = receivers
        agents.agents = agents.agents.filter(({ id }) => id !== 'rogue')
        resources.resources = resources.resources.filter(({ id }) => id !== 'rogue-a2a')
        const less = (entry: Record<string, unknown>, member: string): void => {
          entry[member] = (entry[member] as string[]).filter((id) => !id.startsWith('rogue'))
        }
        for (const agent of agents.agents) less(agent, 'may_reach')
        for (const type of taskTypes.task_types) {
          less(type, 'reach')
          less(type, 'openers')
        }
      },
    })
    expect(reasonOf(await held.get('tasks'))).toBe('401 token_unacceptable')
    await apply(server, operator, {
      documents: ({ tenant }) => {
        tenant['event_receivers'] = receivers
      },
    })
    expect(reasonOf(await held.get('tasks'))).toBe('401 token_unacceptable')
  })
})
