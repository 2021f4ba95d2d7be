/** Threats L04: what was decided before a change is no decision after it: not in this process, nor another, nor in mid-request. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Reason } from '../../server/core/refusal.ts'
import { type AdminClient, operatorOf } from '../support/admin-client.ts'
import type { AgentClient, Answer } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { newKey } from '../support/signing.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'
import { find, tokenOf } from './fixture.ts'
import { type IssuerServer, startWithJwksUri } from './issuer-server.ts'
import { activate, apply, exchangeAt, liveVersionOf, setDisabled, store } from './live.ts'
import { expectRefused } from './refusal.ts'
import { type SecondNode, startSecondNode } from './second-node.ts'

/** A call is permitted by every fact there is to ask about, so each of them decides. */
const RULES = {
  'rules.cedar': `
@id("before") permit (principal, action in [Action::"open", Action::"delegate"], resource);
@id("call") permit (principal, action == Action::"call", resource)
when {
  principal.owner == "team@acme.example" && principal.class == "retrieval" && !(principal has purpose) &&
  resource.sensitivity == "low" && !(resource has owner) && context.scope.tier == "read" &&
  context.opener.class == "orchestrator" && context.chain_owners == ["team@acme.example"]
};`,
}
const FORBID = '@id("stop") forbid (principal, action == Action::"call", resource);'

let server: TestServer
let operator: AdminClient
let node: SecondNode
let planner: AgentClient
let researcher: AgentClient
/** planner's, addressed to researcher. */
let first: string
/** The version everything is permitted by. */
let base: string
beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: () => {} }, rules: { acme: RULES } })
  node = await startSecondNode(server)
  operator = await operatorOf(server)
  planner = server.client('planner')
  researcher = server.client('researcher')
  base = await liveVersionOf(operator)
})
const openAgain = async (): Promise<void> => {
  first = tokenOf(await planner.open(server.idToken(), { audience: 'researcher-a2a' }))
}
beforeEach(openAgain)
afterAll(async () => {
  await node.close()
  await server.close()
})

const form = { audience: 'files-api', scope: 'files:read' }
/** The same request at both nodes. */
const atBoth = (): Promise<readonly Answer[]> =>
  Promise.all([researcher.exchange(first, form), exchangeAt(node, researcher, first, form)])

async function expectBoth(outcome: 'granted' | Reason): Promise<void> {
  for (const answer of await atBoth()) {
    if (outcome === 'granted') tokenOf(answer)
    else expectRefused(answer, outcome)
  }
}

/** As it was before; where something was revoked for good, in what is opened from now on. */
async function expectBothAgain(lasting: Lasting | undefined): Promise<void> {
  if (lasting !== undefined) {
    await expectBoth(lasting)
    await openAgain()
  }
  await expectBoth('granted')
}

type Edit = (documents: TenantDocuments) => unknown
const agent =
  (id: string, parts: object): Edit =>
  ({ agents }) =>
    Object.assign(find(agents.agents, id), parts)
const files =
  (parts: object): Edit =>
  ({ resources }) =>
    Object.assign(find(resources.resources, 'files-api'), parts)
const fileWork =
  (parts: object): Edit =>
  ({ taskTypes }) =>
    Object.assign(find(taskTypes.task_types, 'file-work'), parts)
const scopes = (tier: string) => ({ 'files:read': { tier }, 'files:write': { tier: 'propose' } })

/** What takes the ground from under a task revokes it, or the agent's place in it, for good: the reason from then on. */
type Lasting = 'task_ended' | 'subject_token_revoked'

const CHANGES: readonly [string, Reason, Edit, Lasting?][] = [
  ['the caller’s scopes', 'scope_not_permitted', agent('researcher', { scopes: ['files:write'] })],
  ['the caller’s reach', 'target_not_permitted', agent('researcher', { may_reach: ['mail-api'] })],
  [
    'the caller’s owner',
    'target_not_permitted',
    agent('researcher', { owner: 'others@acme.example' }),
  ],
  ['the caller’s class', 'target_not_permitted', agent('researcher', { class: 'worker' })],
  ['the caller’s purpose', 'target_not_permitted', agent('researcher', { purpose: 'another' })],
  [
    'the caller’s keys',
    'client_authentication_failed',
    agent('researcher', {
      auth: { method: 'private_key_jwt', jwks: { keys: [newKey('new').publicJwk] } },
    }),
  ],
  [
    'the caller’s end',
    'client_authentication_failed',
    agent('researcher', { expires: '2020-01-01' }),
    'subject_token_revoked',
  ],
  ['the opener’s class', 'target_not_permitted', agent('planner', { class: 'worker' })],
  [
    'the opener’s owner',
    'target_not_permitted',
    agent('planner', { owner: 'others@acme.example' }),
  ],
  ['the opener’s end', 'task_ended', agent('planner', { expires: '2020-01-01' }), 'task_ended'],
  ['the resource’s sensitivity', 'target_not_permitted', files({ sensitivity: 'high' })],
  ['the resource’s owner', 'target_not_permitted', files({ owner: 'finance' })],
  ['the scope’s tier', 'target_not_permitted', files({ scopes: scopes('propose') })],
  ['the task type’s scopes', 'scope_not_permitted', fileWork({ scopes: ['files:write'] })],
  ['the task type itself', 'task_ended', fileWork({ id: 'other-work' }), 'task_ended'],
  [
    'the subject',
    'task_ended',
    ({ tenant }) => Object.assign(tenant, { disabled_subjects: ['alice'] }),
    'task_ended',
  ],
]

describe('L04 a decision from before', () => {
  test.each(CHANGES)(
    'L04 is none at either node once %s changed: %s',
    async (_, reason, edit, lasting) => {
      const changed = await store(server, operator, {
        documents: (documents) => void edit(documents),
      })
      await expectBoth('granted')
      await activate(operator, changed)
      await expectBoth(reason)
      await activate(operator, base)
      await expectBothAgain(lasting)
    },
  )

  test('L04 nor once the rules changed, there and back', async () => {
    const stopped = await store(server, operator, { rules: { ...RULES, 'stop.cedar': FORBID } })
    const emptied = await store(server, operator, { rules: {} })
    for (const version of [stopped, emptied, stopped]) {
      await activate(operator, version)
      await expectBoth('target_not_permitted')
      await activate(operator, base)
      await expectBoth('granted')
    }
  })

  test('L04 nor once an agent is disabled, there and back', async () => {
    await setDisabled(operator, 'planner', true)
    await expectBoth('task_ended')
    await setDisabled(operator, 'planner', false)
    await expectBothAgain('task_ended')
  })

  test('L04 what is asked while an agent is disabled ends in no token that is good', async () => {
    const sends = Array.from({ length: 12 }, () => atBoth())
    const disabling = setDisabled(operator, 'planner', true)
    const later = disabling.then(() => atBoth())
    const answers = (await Promise.all(sends)).flat()
    for (const answer of await later) expectRefused(answer, 'task_ended')
    for (const { status, body } of answers) {
      if (status === 200) continue
      // Before its facts were looked at, between them and the walk, and after it.
      expect(['actor_inactive', 'facts_changed', 'task_ended']).toContain(body['reason'])
    }
    const api = server.client('files-api')
    const tokens = answers.filter(({ status }) => status === 200).map(tokenOf)
    for (const token of tokens)
      expect((await api.introspect(token)).body).toEqual({ active: false })
    await setDisabled(operator, 'planner', false)
  })

  test('L04 nor once the token it is asked with is revoked', async () => {
    expect((await planner.revoke(first)).status).toBe(200)
    await expectBoth('subject_token_revoked')
  })
})

describe('L04 a change in the middle of a request', () => {
  const key = newKey('idp-1')
  let issuer: Server
  let held: (response: ServerResponse) => void
  beforeAll(async () => {
    issuer = createServer((_, response) => held(response))
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    issuer.closeAllConnections()
    await new Promise((resolve) => issuer.close(resolve))
  })

  type Interfere = (started: IssuerServer, operator: AdminClient) => Promise<unknown>
  const changes: readonly (readonly [string, Interfere])[] = [
    [
      'its rules forbid it',
      (started, admin) => apply(started, admin, { rules: { 'stop.cedar': FORBID } }),
    ],
    ['it is disabled', (_, admin) => setDisabled(admin, 'planner', true)],
    ['another agent is', (_, admin) => setDisabled(admin, 'rogue', true)],
  ]

  test.each(changes)(
    'L04 an agent that was let in before %s gets no token by what was then',
    async (_, interfere) => {
      const { port } = issuer.address() as AddressInfo
      const started = await startWithJwksUri(`http://127.0.0.1:${port}/jwks`, port)
      try {
        const admin = await operatorOf(started)
        // The decision waits for the issuer's keys, with the tenant as it was when the request came.
        const waiting = new Promise<ServerResponse>((resolve) => {
          held = resolve
        })
        const sent = started.planner.open(started.userToken(key, 'idp-1'))
        const response = await waiting
        await interfere(started, admin)
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ keys: [key.publicJwk] }))
        expectRefused(await sent, 'facts_changed')
      } finally {
        await started.close()
      }
    },
  )

  test('L04 keys that were fetched for one set of algorithms are none for another', async () => {
    const { port } = issuer.address() as AddressInfo
    held = (response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ keys: [key.publicJwk] }))
    }
    const started = await startWithJwksUri(`http://127.0.0.1:${port}/jwks`, port)
    try {
      const admin = await operatorOf(started)
      const open = (): Promise<Answer> => started.planner.open(started.userToken(key, 'idp-1'))
      tokenOf(await open())
      await apply(started, admin, {
        documents: ({ tenant }) => {
          for (const trusted of tenant['trusted_issuers'] as object[]) {
            Object.assign(trusted, { algorithms: ['EdDSA'] })
          }
        },
      })
      expectRefused(await open(), 'subject_token_unacceptable')
    } finally {
      await started.close()
    }
  })
})
